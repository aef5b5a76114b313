//! YOLO: class numbers keep their meaning from run to run.

use std::collections::BTreeMap;

use super::Folder;

/// The classes of `data.yaml` by number.
fn classes(text: &str) -> BTreeMap<usize, String> {
    let entries = text.lines().filter_map(|line| line.trim().split_once(": "));
    entries
        .filter_map(|(number, name)| {
            Some((number.parse().ok()?, name.trim_matches('"').to_owned()))
        })
        .collect()
}

/// The names of the labels in a file.
fn labels(folder: &Folder, file: &str) -> Vec<String> {
    let classes = classes(&folder.text("labels/data.yaml"));
    let text = folder.text(file);
    let numbers = text
        .lines()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap());
    numbers
        .map(|number: usize| classes[&number].clone())
        .collect()
}

#[test]
fn a_second_run_keeps_the_numbers_and_adds_its_own() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.put(number, format!("{number:03}.png"));
    }
    folder.runs(&["--export", "yolo=labels", "000.png"]);
    let first = labels(&folder, "labels/000.txt");
    let text = folder.text("labels/000.txt");
    let before = classes(&folder.text("labels/data.yaml"));
    folder.runs(&["--export", "yolo=labels", "001.png", "002.png", "003.png"]);
    assert_eq!(folder.text("labels/000.txt"), text);
    assert_eq!(labels(&folder, "labels/000.txt"), first);
    let after = classes(&folder.text("labels/data.yaml"));
    assert!(after.len() > before.len());
    assert!(before.iter().all(|(number, name)| after[number] == *name));
    // As one run would have it.
    folder.runs(&[
        "--export",
        "yolo=at_once",
        "000.png",
        "001.png",
        "002.png",
        "003.png",
    ]);
    assert_eq!(classes(&folder.text("at_once/data.yaml")), after);
    for number in 0..4 {
        let file = format!("{number:03}.txt");
        assert_eq!(
            folder.text(&format!("labels/{file}")),
            folder.text(&format!("at_once/{file}"))
        );
    }
    assert!(
        folder
            .files("labels")
            .iter()
            .all(|file| !file.contains(".lock") && !file.contains(".florence"))
    );
}

#[test]
fn files_of_other_tools_go_on_as_they_are() {
    let folder = Folder::new();
    folder.put(0, "000.png");
    folder.runs(&["--export", "yolo=plain", "000.png"]);
    let found = classes(&folder.text("plain/data.yaml"));
    let first = &found[&0];
    folder.write(
        "labels/data.yaml",
        format!("train: ../train/images # mine\nnc: 2\nnames: ['zebra', {first}]\n"),
    );
    folder.runs(&["--export", "yolo=labels", "000.png"]);
    let text = folder.text("labels/data.yaml");
    assert!(
        text.starts_with("train: ../train/images # mine\nnc: "),
        "{text}"
    );
    assert!(
        text.contains(&format!("names: ['zebra', {first}")),
        "{text}"
    );
    assert!(
        folder
            .text("labels/000.txt")
            .lines()
            .any(|line| line.starts_with("1 "))
    );
}

#[test]
fn a_folder_that_cannot_go_on_is_refused_and_stays() {
    let folder = Folder::new();
    folder.put(0, "000.png");
    let od: &[&str] = &["--export", "yolo=labels", "000.png"];
    // Neither another data set below nor text is a label.
    folder.write("x/other/labels/a.txt", "0 0.5 0.5 0.1 0.1\n");
    folder.write("x/other/data.yaml", "names: [a]\n");
    folder.write("x/README.txt", "3 cats\n");
    folder.runs(&["--export", "yolo=x", "000.png"]);

    folder.write("labels/a.txt", "0 0.5 0.5 0.1 0.1\n");
    folder.refuses(od, &["a.txt", "no data.yaml"]);
    folder.write("labels/data.yaml", "names: [a\n");
    folder.refuses(od, &["data.yaml", "not YAML"]);
    folder.write("labels/data.yaml", "names: {0: a, 2: b}\n");
    folder.refuses(od, &["data.yaml", "without a gap"]);
    folder.write("labels/data.yaml", b"names: [\xff]\n");
    folder.refuses(od, &["data.yaml"]);
    folder.write("labels/data.yaml", "names: [a]\n");
    folder.refuses(
        &[
            "--task",
            "detect_and_segment",
            "--export",
            "yolo=labels",
            "000.png",
        ],
        &["a.txt", "labels of boxes", "labels of outlines"],
    );
    folder.write("names.txt", "b\na\n");
    folder.refuses(
        &[
            "--export",
            "yolo=labels",
            "--classes",
            "names.txt",
            "000.png",
        ],
        &["class 0 is \"a\", but \"b\" in --classes"],
    );
    assert_eq!(folder.files("labels"), ["labels/a.txt", "labels/data.yaml"]);
    assert_eq!(folder.text("labels/data.yaml"), "names: [a]\n");
}

#[test]
fn classes_can_be_given() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.put(number, format!("{number:03}.png"));
    }
    folder.runs(&[
        "--export", "yolo=all", "000.png", "001.png", "002.png", "003.png",
    ]);
    let found = classes(&folder.text("all/data.yaml"));
    let last = found.values().next_back().unwrap();
    assert!(found.len() > 1, "{found:?}");
    folder.write("names.txt", format!("\u{feff}zebra\r\n\r\n{last}\r\n"));
    let stderr = folder.runs(&[
        "--export",
        "yolo=some",
        "--export",
        "coco=c.json",
        "--classes",
        "names.txt",
        "000.png",
        "001.png",
        "002.png",
        "003.png",
    ]);
    assert!(
        stderr.contains("--classes names.txt: ") && stderr.contains("annotations left out"),
        "{stderr}"
    );
    let names = classes(&folder.text("some/data.yaml"));
    assert_eq!(
        names,
        BTreeMap::from([(0, "zebra".to_owned()), (1, last.clone())])
    );
    let labels = (0..4).map(|number| folder.text(&format!("some/{number:03}.txt")));
    let labels: String = labels.collect();
    assert!(
        !labels.is_empty() && labels.lines().all(|line| line.starts_with("1 ")),
        "{labels}"
    );
    let coco = folder.json("c.json");
    assert_eq!(coco["categories"][1]["name"], **last);
    assert_eq!(
        coco["annotations"].as_array().unwrap().len(),
        labels.lines().count()
    );
    // The file of one data set gives the numbers of another.
    folder.runs(&[
        "--export",
        "yolo=more",
        "--classes",
        "all/data.yaml",
        "000.png",
    ]);
    assert_eq!(folder.text("more/000.txt"), folder.text("all/000.txt"));

    let with = |file: &str| ["--export", "yolo=x", "--classes", file, "000.png"].map(str::to_owned);
    folder.refuses(&with("none.txt"), &["--classes none.txt"]);
    folder.write("empty.txt", "\n\n");
    folder.refuses(&with("empty.txt"), &["one name per line"]);
    folder.write("twice.txt", "a\nb\na\n");
    folder.refuses(&with("twice.txt"), &["\"a\" appears twice"]);
}

#[test]
fn two_runs_at_once_agree_about_the_numbers() {
    let folder = Folder::new();
    for number in 0..8 {
        folder.put(number, format!("{number:03}.png"));
    }
    let start = |images: [&str; 4]| {
        let mut command = folder.command();
        command
            .args(["--task", "od", "--export", "yolo=labels"])
            .args(images);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut first = start(["000.png", "001.png", "002.png", "003.png"]);
    let mut second = start(["004.png", "005.png", "006.png", "007.png"]);
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    let names = |folder: &Folder, file: &str| {
        let mut names = labels(folder, file);
        names.sort();
        names
    };
    for number in 0..8 {
        let (image, file) = (
            format!("{number:03}.png"),
            format!("labels/{number:03}.txt"),
        );
        let both = names(&folder, &file);
        let alone = Folder::new();
        alone.put(number, &image);
        alone.runs(&["--export", "yolo=labels", &image]);
        assert_eq!(both, names(&alone, &file));
    }
}
