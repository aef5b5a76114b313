//! Interrupted runs: every file is complete, and existing files stay until they are replaced.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{Folder, file_names};

#[test]
fn a_misspelt_name_leaves_what_is_there() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    let export: &[&str] = &["--export", "coco=c.json", "--export", "yolo=labels"];
    folder.runs(&[export, &["1.png"]].concat());
    let read = || ["c.json", "labels/data.yaml", "labels/1.txt"].map(|file| folder.text(file));
    let before = read();
    let output = folder.run(&[export, &["l.png"]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(read(), before);
    assert_eq!(folder.files("labels").len(), 2);
    // And where nothing is there, nothing is made of it.
    let output = folder.run(&["--export", "coco=new.json", "l.png"]);
    assert_eq!(output.status.code(), Some(4));
    let left: Vec<String> = folder.files(".");
    assert!(
        left.iter().all(|file| !file.contains("new.json")),
        "{left:?}"
    );
}

#[test]
fn a_file_is_replaced_by_the_next_run() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    folder.put(2, "2.png");
    folder.runs(&["--export", "coco=c.json", "1.png"]);
    folder.runs(
        &["--export", "coco=c.json", "2.png", "missing.png"]
            .map(|name| name.replace("missing", "1")),
    );
    assert_eq!(file_names(&folder.json("c.json")), ["2.png", "1.png"]);
    folder.runs(&["--export", "coco=c.json", "2.png"]);
    assert_eq!(file_names(&folder.json("c.json")), ["2.png"]);
    assert_eq!(folder.files("."), ["1.png", "2.png", "c.json"]);
}

/// Starts a long run and waits until some images are answered.
fn started(folder: &Folder, answers: usize) -> Child {
    let mut command = folder.command();
    command.args([
        "--task",
        "od",
        "--json",
        "--export",
        "coco=c.json",
        "--export",
        "yolo=labels",
    ]);
    command.args((0..40).map(|number| format!("{number:03}.png")));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..answers {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert!(line["answer"].is_object());
    }
    // The rest is read, so that no write fails.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn many() -> Folder {
    let folder = Folder::new();
    for number in 0..40 {
        folder.put(number, format!("{number:03}.png"));
    }
    folder
}

/// Every label's number has a name, and no file is half.
fn labels_are_whole(folder: &Folder) -> usize {
    let data = folder.text("labels/data.yaml");
    assert!(data.ends_with('\n'));
    let files = folder.files("labels");
    let labels: Vec<&String> = files.iter().filter(|file| file.ends_with(".txt")).collect();
    for file in &labels {
        for line in folder.text(file).lines() {
            let fields: Vec<f32> = line
                .split(' ')
                .map(|field| field.parse().unwrap())
                .collect();
            assert_eq!(fields.len(), 5, "{file}: {line}");
            assert!(
                data.contains(&format!("\n  {}: ", fields[0])),
                "{file}: {line}"
            );
        }
    }
    labels.len()
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let mut kill = std::process::Command::new("kill");
    assert!(
        kill.args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_finishes_its_files() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = many();
        let child = started(&folder, 2);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(
            stderr.contains("finishing this image") && stderr.contains("interrupted"),
            "{stderr}"
        );
        let coco = folder.json("c.json");
        let images = file_names(&coco).len();
        assert!((2..40).contains(&images), "{images}");
        assert_eq!(labels_are_whole(&folder), images);
        let files = folder.files(".");
        assert!(!files.iter().any(|file| file.contains("lock")), "{files:?}");
        assert!(stderr.contains("--resume goes on"), "{stderr}");

        // The same command goes on, and nothing is left beside the file.
        let all = (0..40).map(|number| format!("{number:03}.png"));
        let all: Vec<String> = all.collect();
        let mut args = vec!["--export", "coco=c.json", "--export", "yolo=labels"];
        args.extend(["--json", "--resume"]);
        args.extend(all.iter().map(String::as_str));
        let output = folder.run(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let resuming = format!("resuming from {images} images");
        assert!(stderr.contains(&resuming), "{stderr}");
        let answered = output.stdout.iter().filter(|byte| **byte == b'\n');
        assert_eq!(answered.count(), 40 - images);
        assert_eq!(file_names(&folder.json("c.json")), all);
        assert_eq!(labels_are_whole(&folder), 40);
        let files = folder.files(".");
        assert!(
            !files.iter().any(|file| file.contains("partial")),
            "{files:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_whole_files_and_the_same_command_goes_on() {
    let folder = many();
    folder.write("c.json", "what was there before");
    let mut child = started(&folder, 3);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert_eq!(folder.text("c.json"), "what was there before");
    assert!(labels_are_whole(&folder) >= 2);
    let journal = folder.text("c.json.partial");
    let left = journal.lines().count() - 1;
    assert!((2..40).contains(&left), "{left}");
    for line in journal
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
    {
        serde_json::from_str::<Value>(line).unwrap();
    }

    // As if it had been killed while it wrote.
    folder.write("c.json.partial", format!("{journal}{{\"file_name\":\"0"));
    folder.refuses(
        &[
            "--task",
            "region_proposal",
            "--export",
            "coco=c.json",
            "000.png",
        ],
        &[
            "c.json.partial",
            "another task or other options",
            "<OD>",
            "delete",
        ],
    );
    // One image again, and one more.
    let stderr = folder.runs(&["--export", "coco=c.json", "000.png", "039.png"]);
    assert!(
        stderr.contains(&format!("resuming from {left} images")),
        "{stderr}"
    );
    let coco = folder.json("c.json");
    let mut names = file_names(&coco);
    names.sort_unstable();
    let mut expected: Vec<String> = (0..left).map(|number| format!("{number:03}.png")).collect();
    expected.push("039.png".to_owned());
    assert_eq!(names, expected);
    let ids: Vec<u64> = coco["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    assert!(!folder.path("c.json.partial").exists());
}

#[test]
fn answers_are_the_same_after_going_on() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    folder.put(2, "2.png");
    folder.runs(&["--export", "coco=whole.json", "1.png", "2.png"]);
    // The journal of a run that was killed after its first image.
    let mut command = folder.command();
    command.args(["--task", "od", "--export", "coco=c.json", "1.png", "2.png"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let journal = folder.path("c.json.partial");
    while fs::read(&journal).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
        < 2
    {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    folder.runs(&["--export", "coco=c.json", "2.png"]);
    assert_eq!(folder.json("c.json"), folder.json("whole.json"));
}

#[test]
fn a_resumed_run_asks_only_about_what_is_not_in_the_journal() {
    let folder = Folder::new();
    for number in 0..40 {
        folder.put(number, format!("p/{number:03}.png"));
    }
    let args = [
        "--export",
        "coco=c.json",
        "--export",
        "labelme=labels",
        "--resume",
        "p",
    ];
    folder.runs(&["--export", "coco=whole.json", "p"]);
    let mut command = folder.command();
    let mut child = command
        .args(["--task", "od"])
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = folder.path("c.json.partial");
    let images = || fs::read(&journal).map_or(0, |text| text.split(|byte| *byte == b'\n').count());
    while images() < 5 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = fs::read(&journal).unwrap();
    // Without the temporary file of the one that was written.
    let labels = || {
        let files = folder.files("labels").into_iter();
        files.filter(|file| file.ends_with(".json")).count()
    };
    let left = labels();
    let stderr = folder.runs(&args);
    // The image that was worked on may be in one of the two only.
    let counts = [left - 1, left]
        .map(|done| format!("{} of 40 images answered, {done} already done", 40 - done));
    assert!(
        counts.iter().any(|counts| stderr.contains(counts)),
        "{left}: {stderr}"
    );
    assert_eq!(folder.json("c.json"), folder.json("whole.json"));
    assert_eq!(labels(), 40);
    // Where all images are in the journal it becomes the file, without an answer.
    fs::remove_file(folder.path("c.json")).unwrap();
    fs::write(&journal, before).unwrap();
    let output = folder.run(&[
        "--export",
        "coco=c.json",
        "--resume",
        "p/000.png",
        "p/001.png",
    ]);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    assert!(file_names(&folder.json("c.json")).starts_with(&["000.png", "001.png"]));
    assert!(!journal.exists());
}

#[test]
fn two_runs_do_not_write_one_file() {
    let folder = many();
    let mut child = started(&folder, 1);
    folder.refuses(
        &["--export", "coco=c.json", "000.png"],
        &["c.json", "another run is writing this file"],
    );
    child.kill().unwrap();
    child.wait().unwrap();
    folder.runs(&["--export", "coco=c.json", "000.png"]);
    assert!(file_names(&folder.json("c.json")).contains(&"000.png"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_leaves_what_is_there() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    folder.put(2, "2.png");
    // Straight to a device that takes nothing.
    let output = folder.run(&["--export", "coco=/dev/full", "1.png"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("/dev/full") && stderr.contains("No space left"),
        "{stderr}"
    );
    assert!(
        fs::metadata("/dev/full").unwrap().len() == 0
            && !fs::metadata("/dev/full").unwrap().is_file()
    );

    // Files of more than so many blocks cannot be written.
    let small: &[&str] = &["--export", "coco=c.json", "--export", "labelme=labels"];
    folder.write("c.json", "what was there before");
    folder.write("labels/1.json", "this too");
    let limited = |blocks: &str| {
        let mut command = std::process::Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command.current_dir(folder.path("")).args(["-c", &script]);
        command.arg(env!("CARGO_BIN_EXE_florence"));
        command.args(["run", "--task", "od", "--num-beams", "1"]);
        let output = command
            .args(small)
            .args(["1.png", "2.png"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!output.stdout.is_empty(), "the answers are not lost");
        assert_eq!(folder.text("c.json"), "what was there before");
        String::from_utf8(output.stderr).unwrap()
    };
    let stderr = limited("0");
    for file in ["labels/1.json", "labels/2.json", "c.json.partial"] {
        assert!(
            stderr.contains(&format!("{file}: File too large")),
            "{stderr}"
        );
    }
    assert_eq!(folder.text("labels/1.json"), "this too");
    assert_eq!(folder.files("labels"), ["labels/1.json"]);
    let stderr = limited("1");
    assert!(
        stderr.contains("File too large") && stderr.contains("c.json.partial"),
        "{stderr}"
    );
    // With room again the same command goes on.
    folder.runs(&[small, &["1.png", "2.png"]].concat());
    assert_eq!(file_names(&folder.json("c.json")), ["1.png", "2.png"]);
    assert!(folder.json("labels/1.json")["shapes"].is_array());
}

#[cfg(unix)]
#[test]
fn links_and_rights_of_a_file_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new();
    folder.put(1, "1.png");
    folder.write("real/c.json", "old");
    fs::set_permissions(folder.path("real/c.json"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("real/c.json", folder.path("c.json")).unwrap();
    folder.runs(&["--export", "coco=c.json", "1.png"]);
    assert!(folder.path("c.json").is_symlink());
    assert_eq!(file_names(&folder.json("real/c.json")), ["1.png"]);
    let mode = fs::metadata(folder.path("real/c.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    folder.runs(&["--export", "labelme=new", "1.png"]);
    folder.write("usual", "");
    let mode = |file: &str| {
        fs::metadata(folder.path(file))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("new/1.json"), mode("usual"));
}

#[test]
fn an_export_can_be_read_from_a_pipe() {
    let folder = Folder::new();
    folder.put(1, "1.png");
    if !fs::exists("/dev/stderr").unwrap_or(false) {
        return;
    }
    let output = folder.run(&["--export", "coco=/dev/stderr", "1.png"]);
    let coco: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(file_names(&coco), ["1.png"]);
}
