//! `--output`, `--resume` and `--errors`.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::{images, of_text};

const OUTPUT: [&str; 4] = ["--task", "caption", "--output", "out.jsonl"];

#[test]
fn lines_go_to_a_file() {
    let folder = Folder::new();
    folder.put(1, "p/a.png");
    folder.put(2, "p/b.png");
    folder.write("p/c.png", "no image");
    let output = folder.run(&[&OUTPUT[..], &["--errors", "errors.jsonl", "p"]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("2 of 3 images answered, 1 unreadable"),
        "{stderr}"
    );
    let lines = of_text(&folder.text("out.jsonl"));
    assert_eq!(images(&lines), ["p/a.png", "p/b.png", "p/c.png"]);
    assert!(lines[0]["answer"].is_object() && lines[2]["error"].is_string());
    let errors = of_text(&folder.text("errors.jsonl"));
    assert_eq!(images(&errors), ["p/c.png"]);
    folder.refuses(
        &[&OUTPUT[..], &["p"]].concat(),
        &[
            "--output out.jsonl: this file exists",
            "--resume",
            "--overwrite",
        ],
    );
}

#[test]
fn what_is_done_is_not_done_again() {
    let folder = Folder::new();
    folder.put(1, "p/a.png");
    folder.put(2, "p/b.png");
    folder.write("p/c.png", "no image");
    let resume = [&OUTPUT[..], &["--resume", "p"]].concat();
    // Also where nothing was done yet.
    assert_eq!(folder.run(&resume).status.code(), Some(4));
    let whole = folder.text("out.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    // A line without its end, and an image that can be read meanwhile.
    fs::write(
        folder.path("out.jsonl"),
        format!("{}\n{}\n{}", lines[0], lines[2], &lines[1][..40]),
    )
    .unwrap();
    folder.put(3, "p/c.png");
    let stderr = folder.runs(&resume);
    assert!(
        stderr.contains("2 of 3 images answered, 1 already done"),
        "{stderr}"
    );
    let text = folder.text("out.jsonl");
    let after = of_text(&text);
    assert_eq!(images(&after), ["p/a.png", "p/b.png", "p/c.png"]);
    assert!(after.iter().all(|line| line["answer"].is_object()));
    assert_eq!(text.lines().next(), Some(lines[0]));
    // Another question is not done.
    folder.runs(&[
        "--task",
        "caption",
        "--task",
        "od",
        "--output",
        "out.jsonl",
        "--resume",
        "p",
    ]);
    let after = of_text(&folder.text("out.jsonl"));
    assert_eq!(after.len(), 6);
    assert!(after[3..].iter().all(|line| line["task"] == "<OD>"));
}

#[test]
fn regions_and_texts_are_told_apart() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    let base = [
        "--task",
        "region_to_category",
        "--output",
        "out.jsonl",
        "--resume",
        "a.png",
    ];
    folder.runs(&[&base[..], &["--region", "0.1,0.2,50.3,50"]].concat());
    folder.runs(
        &[
            &base[..],
            &["--region", "0.1,0.2,50.3,50", "--region", "1,1,60,60"],
        ]
        .concat(),
    );
    let lines = of_text(&folder.text("out.jsonl"));
    let regions: Vec<String> = lines
        .iter()
        .map(|line| line["region"].to_string())
        .collect();
    assert_eq!(regions, ["[0.1,0.2,50.3,50.0]", "[1.0,1.0,60.0,60.0]"]);
}

#[test]
fn a_file_of_something_else_stays() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    for text in ["{\"a\": 1}\n", "hello\n"] {
        folder.write("out.jsonl", text);
        let output = folder.run(&[&OUTPUT[..], &["--resume", "a.png"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("--output out.jsonl: line 1 is not the line of an answer"),
            "{stderr}"
        );
        assert_eq!(folder.text("out.jsonl"), text);
        assert_eq!(folder.files("."), ["a.png", "out.jsonl"]);
    }
    let output = folder.run(&["--task", "caption", "--resume", "a.png"]);
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on() {
    let folder = Folder::new();
    for number in 0..30 {
        folder.put(number, format!("p/{number:03}.png"));
    }
    let args = [&OUTPUT[..], &["--captions", "beside", "--resume", "p"]].concat();
    let mut stops = 0;
    loop {
        let mut command = folder.command();
        let mut child = command.args(&args).stderr(Stdio::piped()).spawn().unwrap();
        let lines = || folder.text("out.jsonl").lines().count();
        let before = if stops == 0 { 0 } else { lines() };
        let start = Instant::now();
        while stops < 2 && start.elapsed() < Duration::from_secs(60) {
            if folder.path("out.jsonl").exists() && lines() >= before + 3 {
                let id = child.id().to_string();
                assert!(
                    std::process::Command::new("kill")
                        .args(["-INT", &id])
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
            break;
        }
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(
            stderr.contains("--resume goes on") && stderr.contains("not reached"),
            "{stderr}"
        );
        stops += 1;
    }
    assert_eq!(stops, 2, "it was to be stopped twice");
    let lines = of_text(&folder.text("out.jsonl"));
    let names: Vec<String> = (0..30).map(|number| format!("p/{number:03}.png")).collect();
    assert_eq!(images(&lines), names);
    for line in &lines {
        let caption = line["image"].as_str().unwrap().replace(".png", ".txt");
        assert_eq!(
            folder.text(&caption),
            line["answer"]["value"]["text"].as_str().unwrap().trim()
        );
    }
}
