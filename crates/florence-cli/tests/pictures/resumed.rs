//! Going on: an image is done when all of its files are there.

use std::fs;

use super::folder::Folder;
use super::picture;

const OUTPUTS: [&str; 6] = [
    "--annotate",
    "drawn",
    "--overlay",
    "over",
    "--export",
    "masks=masks",
];

fn filled() -> Folder {
    let folder = Folder::new();
    for (number, name) in ["a", "b", "sub/c"].iter().enumerate() {
        folder.put(number as u32, format!("p/{name}.png"));
    }
    folder
}

/// The names on stdout, of the images that were answered.
fn answered(folder: &Folder, args: &[&str]) -> Vec<String> {
    let output = folder.run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    let headings = text.lines().filter(|line| line.starts_with("p/"));
    headings
        .map(|line| line.trim_end_matches(':').to_owned())
        .collect()
}

#[test]
fn finished_images_are_skipped_and_the_others_done() {
    let folder = filled();
    folder.runs(&[&OUTPUTS[..], &["p"]].concat());
    let outputs = || {
        let files = ["drawn", "over", "masks"]
            .map(|out| folder.files(out))
            .concat();
        let files = files.into_iter();
        files
            .map(|file| (fs::read(folder.path(&file)).unwrap(), file))
            .collect::<Vec<_>>()
    };
    let whole = outputs();
    for flag in ["--resume", "--skip-existing"] {
        let args = [&OUTPUTS[..], &[flag, "p"]].concat();
        assert_eq!(answered(&folder, &args), [""; 0]);
        // One lacks a picture, one its last mask, one is whole.
        fs::remove_file(folder.path("over/a.png")).unwrap();
        fs::remove_file(folder.path("masks/sub/c.mask.png")).unwrap();
        // What is there is not written again.
        let by_hand = ["drawn/a.png", "drawn/b.png", "masks/a.mask.png"];
        for file in by_hand {
            folder.write(file, "by hand");
        }
        assert_eq!(answered(&folder, &args), ["p/a.png", "p/sub/c.png"]);
        for file in by_hand {
            assert_eq!(folder.text(file), "by hand");
            fs::remove_file(folder.path(file)).unwrap();
        }
        assert_eq!(answered(&folder, &args), ["p/a.png", "p/b.png"]);
        assert_eq!(outputs(), whole);
    }
}

#[test]
fn every_kind_of_output_says_whether_an_image_is_done() {
    let folder = filled();
    for (outputs, files) in [
        (&["--export", "yolo=y"][..], &["y/a.txt"][..]),
        (
            &["--export", "labelme=l", "--export", "voc=v"],
            &["l/a.json", "v/a.xml"],
        ),
        (
            &["--export", "yolo=set", "--dataset", "copy", "--val", "0"],
            &["set/labels/train/a.txt", "set/images/train/a.png"],
        ),
        (
            &["--export", "voc=vs", "--dataset", "copy", "--val", "0"],
            &["vs/Annotations/a.xml", "vs/JPEGImages/a.png"],
        ),
        (&["--overlay", "o", "--output", "o.jsonl"], &["o/a.png"]),
    ] {
        let args = [outputs, &["--resume", "p"]].concat();
        folder.runs(&args);
        assert_eq!(answered(&folder, &args), [""; 0], "{outputs:?}");
        for file in files {
            fs::remove_file(folder.path(file)).unwrap();
            let stderr = folder.runs(&args);
            assert!(
                stderr.contains("1 of 3 images answered, 2 already done"),
                "{file}: {stderr}"
            );
            assert!(folder.path(file).exists(), "{file}");
        }
        // Without being told to, exports are written again.
        if outputs.contains(&"--export") {
            assert_eq!(answered(&folder, &[outputs, &["p"]].concat()).len(), 3);
        }
    }
}

#[test]
fn captions_and_pictures_go_on_together() {
    let folder = filled();
    let args = [
        "--task",
        "caption_and_ground",
        "--captions",
        "beside",
        "--overlay",
        "over",
        "--resume",
        "p",
    ];
    assert_eq!(answered(&folder, &args).len(), 3);
    folder.write("p/a.txt", "by hand");
    fs::remove_file(folder.path("over/a.png")).unwrap();
    fs::remove_file(folder.path("p/b.txt")).unwrap();
    assert_eq!(answered(&folder, &args), ["p/a.png", "p/b.png"]);
    assert_eq!(folder.text("p/a.txt"), "by hand");
    assert!(folder.path("over/a.png").exists() && folder.path("p/b.txt").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_with_what_an_uninterrupted_one_writes() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = Folder::new();
    for number in 0..30 {
        folder.put(number, format!("p/{number:03}.png"));
    }
    folder.runs(&[
        "--annotate",
        "w/drawn",
        "--overlay",
        "w/over",
        "--export",
        "masks=w/masks",
        "--quiet",
        "p",
    ]);
    let mut stops = 0;
    let mut before = 0;
    loop {
        let mut command = folder.command();
        command
            .args(["--task", "od"])
            .args(OUTPUTS)
            .args(["--resume", "p"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let done = || match fs::read_dir(folder.path("over")) {
            Ok(files) => files.count(),
            Err(_) => 0,
        };
        let start = Instant::now();
        while stops < 2 && start.elapsed() < Duration::from_secs(60) {
            if done() >= before + 3 {
                let mut kill = Command::new("kill");
                // Once as Ctrl-C, once as it is.
                let signal = ["-INT", "-KILL"][stops];
                assert!(
                    kill.args([signal, &child.id().to_string()])
                        .status()
                        .unwrap()
                        .success()
                );
                break;
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            assert!(stderr.contains("already done"), "{stderr}");
            break;
        }
        assert!(stops == 1 || output.status.code() == Some(130), "{stderr}");
        assert!(
            stops == 1 || stderr.contains("--resume goes on"),
            "{stderr}"
        );
        stops += 1;
        before = done();
        assert!(before < 30, "too late");
    }
    assert_eq!(stops, 2, "it was to be stopped twice");
    for out in ["drawn", "over", "masks"] {
        let whole = folder.files(&format!("w/{out}"));
        let names: Vec<String> = whole
            .iter()
            .map(|file| file.replacen("w/", "", 1))
            .collect();
        let mut found = folder.files(out);
        // A temporary file of the run that was killed.
        found.retain(|file| !file.contains(".florence-"));
        assert_eq!(found, names);
        for (one, other) in whole.iter().zip(&names) {
            assert_eq!(picture(&folder, one), picture(&folder, other), "{other}");
        }
    }
}
