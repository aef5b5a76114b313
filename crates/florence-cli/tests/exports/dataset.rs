//! Training data sets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Folder;

fn scenes() -> (Folder, Vec<String>) {
    let folder = Folder::new();
    let names: Vec<String> = (0..12)
        .map(|number| {
            format!(
                "{}/{number:03}.png",
                if number % 2 == 0 { "a" } else { "b" }
            )
        })
        .collect();
    for (number, name) in (0..).zip(&names) {
        folder.put(number, format!("in/{name}"));
    }
    let images = names.iter().map(|name| format!("in/{name}")).collect();
    (folder, images)
}

fn export(folder: &Folder, options: &[&str], images: &[String]) -> String {
    let options = options.iter().map(|option| (*option).to_owned());
    let args: Vec<String> = options.chain(images.iter().cloned()).collect();
    folder.runs(&args)
}

/// The names without endings below a folder.
fn stems(folder: &Folder, place: &str) -> BTreeSet<String> {
    if !folder.path(place).exists() {
        return BTreeSet::new();
    }
    let files = folder.files(place).into_iter();
    let stem = |file: String| {
        let file = Path::new(&file).with_extension("");
        file.strip_prefix(place)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    files.map(stem).collect()
}

#[test]
fn yolo_finds_the_labels_of_every_image() {
    let (folder, images) = scenes();
    export(
        &folder,
        &["--export", "yolo=set", "--dataset", "copy", "--val", "0.3"],
        &images,
    );
    assert_eq!(
        folder
            .text("set/data.yaml")
            .lines()
            .take(3)
            .collect::<Vec<_>>(),
        ["train: \"images/train\"", "val: \"images/val\"", "names:"],
        "without a `path`, which some readers resolve against their own folder"
    );
    let mut all = BTreeSet::new();
    for split in ["train", "val"] {
        let images = stems(&folder, &format!("set/images/{split}"));
        assert_eq!(images, stems(&folder, &format!("set/labels/{split}")));
        assert!(!images.is_empty(), "{split}");
        for stem in &images {
            let copy = fs::read(folder.path(format!("set/images/{split}/{stem}.png"))).unwrap();
            assert_eq!(
                copy,
                fs::read(folder.path(format!("in/{stem}.png"))).unwrap()
            );
            assert!(all.insert(stem.clone()), "{stem} is in both");
        }
    }
    assert_eq!(all.len(), 12);
}

#[test]
fn images_stay_in_their_part() {
    let (folder, images) = scenes();
    let set = |name: &str, options: &[&str], images: &[String]| {
        let target = format!("yolo={name}");
        let all = [
            &[
                "--export",
                &target,
                "--dataset",
                "link",
                "--images-root",
                "in",
            ],
            options,
        ]
        .concat();
        export(&folder, &all, images);
        stems(&folder, &format!("{name}/labels/val"))
    };
    let val = set("once", &["--val", "0.4"], &images);
    assert!(!val.is_empty() && val.len() < 12);
    // In two runs, and with another share in a third one.
    set("twice", &["--val", "0.4"], &images[..5]);
    assert_eq!(set("twice", &["--val", "0.4"], &images[5..]), val);
    assert_eq!(set("twice", &["--val", "0.9", "--seed", "7"], &images), val);
    assert_ne!(set("other", &["--val", "0.4", "--seed", "1"], &images), val);
    assert!(set("none", &["--val", "0"], &images).is_empty());
}

#[test]
fn linked_images_take_no_room_and_survive_the_original() {
    let (folder, images) = scenes();
    export(
        &folder,
        &["--export", "yolo=set", "--dataset", "link", "--val", "0"],
        &images,
    );
    let linked = folder.path("set/images/train/a/000.png");
    let original = folder.path("in/a/000.png");
    let bytes = fs::read(&original).unwrap();
    assert!(same_file::is_same_file(&linked, &original).unwrap());
    // Again, over what is there.
    export(
        &folder,
        &["--export", "yolo=set", "--dataset", "link"],
        &images[..2],
    );
    let left: Vec<_> = folder
        .files("set")
        .into_iter()
        .filter(|file| file.contains(".florence"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    fs::remove_file(original).unwrap();
    assert_eq!(fs::read(linked).unwrap(), bytes);
}

#[test]
fn voc_lists_its_parts() {
    let (folder, mut images) = scenes();
    folder.put(13, "in/a/000.PNG");
    images.push("in/a/000.PNG".to_owned());
    let options = ["--export", "voc=set", "--dataset", "copy", "--val", "0.3"];
    export(&folder, &options, &images);
    export(&folder, &options, &images[..3]);
    let list = |name: &str| -> Vec<String> {
        folder
            .text(&format!("set/ImageSets/Main/{name}.txt"))
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (train, val, all) = (list("train"), list("val"), list("trainval"));
    assert!(
        !val.is_empty() && train.len() + val.len() == 13,
        "{train:?} {val:?}"
    );
    let distinct: BTreeSet<String> = train.into_iter().chain(val).collect();
    assert_eq!(distinct, all.iter().cloned().collect());
    assert!(distinct.contains("a/000.png") && distinct.contains("a/000.PNG"));
    assert_eq!(distinct, stems(&folder, "set/Annotations"));
    assert_eq!(distinct, stems(&folder, "set/JPEGImages"));
    for stem in &distinct {
        let text = folder.text(&format!("set/Annotations/{stem}.xml"));
        let voc = roxmltree::Document::parse(&text).unwrap();
        let text = |tag| {
            voc.descendants()
                .find(|node| node.has_tag_name(tag))
                .unwrap()
                .text()
                .unwrap()
        };
        let image = folder.path(format!(
            "set/JPEGImages/{}/{}",
            text("folder"),
            text("filename")
        ));
        assert!(image.is_file(), "{image:?}");
    }
}

#[test]
fn an_image_does_not_take_the_place_of_another() {
    let folder = Folder::new();
    folder.put(1, "x/1.png");
    folder.put(2, "y/1.png");
    folder.put(1, "z/1.png");
    let args = |format: &str, image: &'static str| {
        let target = format!("{format}={format}");
        [
            "--export",
            &target,
            "--dataset",
            "copy",
            "--val",
            "0",
            image,
        ]
        .map(str::to_owned)
    };
    for (format, image) in [
        ("yolo", "yolo/images/train/1.png"),
        ("voc", "voc/JPEGImages/1.png"),
    ] {
        folder.runs(&args(format, "x/1.png"));
        let files = || -> Vec<(String, Vec<u8>)> {
            let files = folder.files(format).into_iter();
            let read = |file: String| (file.clone(), fs::read(folder.path(file)).unwrap());
            files.map(read).collect()
        };
        let before = files();
        let output = folder.run(&args(format, "y/1.png"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(image) && stderr.contains("y/1.png"),
            "{stderr}"
        );
        assert_eq!(files(), before);
        // The same image at another place is no other.
        folder.runs(&args(format, "z/1.png"));
        assert_eq!(files(), before);
    }
}

#[test]
fn voc_lists_of_other_tools_keep_their_lines() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    folder.put(2, " b.png");
    folder.write("set/ImageSets/Main/train.txt", "old\r\n b");
    folder.write("set/ImageSets/Main/trainval.txt", "old\r\n b");
    let options = ["--export", "voc=set", "--dataset", "copy", "--val", "0"];
    export(
        &folder,
        &options,
        &["a.png".to_owned(), " b.png".to_owned()],
    );
    for list in ["train", "trainval"] {
        let text = folder.text(&format!("set/ImageSets/Main/{list}.txt"));
        assert_eq!(text, "old\r\n b\na\n", "{list}");
    }
}

#[test]
fn options_that_have_no_meaning_are_refused() {
    let (folder, images) = scenes();
    let image = images[0].as_str();
    folder.refuses(
        &["--export", "coco=c.json", "--dataset", "copy", image],
        &["--dataset", "expected yolo= or voc="],
    );
    folder.refuses(
        &["--export", "yolo=x", "--val", "0.2", image],
        &["--dataset"],
    );
    folder.refuses(
        &[
            "--export",
            "yolo=x",
            "--dataset",
            "copy",
            "--val",
            "10",
            image,
        ],
        &["a fraction from 0 to 1"],
    );
    folder.refuses(&["--dataset", "copy", image], &["--export"]);
}

/// Images that differ in their ending only, from one run after the other: none gets another's labels,
/// and none is there twice.
#[test]
fn a_stem_is_one_images_also_from_run_to_run() {
    let folder = Folder::new();
    folder.put(1, "in/a.png");
    folder.put(2, "in/a.PNG");
    for (format, images, labels) in [
        ("yolo", "images/train", "labels/train"),
        ("voc", "JPEGImages", "Annotations"),
    ] {
        let target = format!("{format}={format}");
        let options = ["--export", &target, "--dataset", "copy", "--val", "0"];
        let run = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            export(&folder, &options, &names);
        };
        run(&["in/a.png"]);
        let ending = if format == "yolo" { "txt" } else { "xml" };
        let label = format!("{format}/{labels}/a.{ending}");
        let first = folder.text(&label);
        run(&["in/a.PNG"]);
        run(&["in/a.png", "in/a.PNG"]);
        run(&["in/a.PNG", "in/a.png"]);
        if format == "yolo" {
            assert_eq!(folder.text(&label), first);
        }
        let there = folder.files(&format!("{format}/{images}"));
        let expected = ["a.PNG.PNG", "a.png"].map(|name| format!("{format}/{images}/{name}"));
        assert_eq!(there, expected);
        let there = folder.files(&format!("{format}/{labels}"));
        let expected = ["a.PNG", "a"].map(|stem| format!("{format}/{labels}/{stem}.{ending}"));
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(there, expected);
        for (name, number) in [("a.PNG.PNG", 2), ("a.png", 1)] {
            let bytes = fs::read(folder.path(format!("{format}/{images}/{name}"))).unwrap();
            assert_eq!(bytes, fs::read(super::scene(number)).unwrap(), "{name}");
        }
    }
}

/// The same for endings of every kind, and for names that look like those of other images.
#[test]
fn no_two_images_share_a_label_file() {
    for (format, images, labels) in [
        ("yolo", "images/train", "labels/train"),
        ("voc", "JPEGImages", "Annotations"),
    ] {
        for runs in [
            &[&["a.jfif"][..], &["a.png"]][..],
            &[&["a.JpG"], &["a.png"]],
            &[&["a.png.gif"], &["a.jpg"], &["a.png"]],
            &[&["a.png.gif", "a.jpg", "a.png"], &["a.png"], &["a.jpg"]],
            &[&["a"], &["a.png"], &["a"]],
            &[&["a.png"], &["a"], &["a.png", "a"]],
            &[&["a.jpg.jpg", "a.png", "a.jpg"], &["a.jpg", "a.jpg.jpg"]],
        ] {
            let folder = Folder::new();
            let mut names: Vec<&str> = runs.concat();
            names.sort_unstable();
            names.dedup();
            for (number, name) in (1..).zip(&names) {
                folder.put(number, format!("in/{name}"));
            }
            let target = format!("{format}=set");
            let options = ["--export", &target, "--dataset", "copy", "--val", "0"];
            for run in runs {
                let images: Vec<String> = run.iter().map(|name| format!("in/{name}")).collect();
                export(&folder, &options, &images);
            }
            let there = folder.files(&format!("set/{images}"));
            assert_eq!(there.len(), names.len(), "{runs:?}: {there:?}");
            let stems = stems(&folder, &format!("set/{images}"));
            assert_eq!(stems.len(), names.len(), "{runs:?}: {there:?}");
            let labeled = folder.files(&format!("set/{labels}"));
            assert_eq!(labeled.len(), names.len(), "{runs:?}: {labeled:?}");
        }
    }
}
