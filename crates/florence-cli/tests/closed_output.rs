//! Closed or full output streams: images are answered all the same.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::process::Command;

const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scene.png");

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn a_full_disk_for_messages_costs_no_answers() {
    let folder = tempfile::tempdir().unwrap();
    let coco = folder.path().join("coco.json");
    let output = Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(["run", "--task", "od", "--num-beams", "1", "--export"])
        .arg(format!("coco={}", coco.display()))
        .args(["no/such/image.png", SCENE])
        .stderr(full())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stdout).contains("diamond"));
    assert!(fs::read_to_string(coco).unwrap().contains("scene.png"));
}

/// Exports are written even if stdout is closed.
#[test]
fn a_closed_stdout_costs_no_exports() {
    let folder = tempfile::tempdir().unwrap();
    let coco = folder.path().join("coco.json");
    let images = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano/eval/images");
    let images = ["001.png", "002.png", "003.png"].map(|name| format!("{images}/{name}"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_florence"));
    command.args(["run", "--task", "od", "--num-beams", "1"]);
    let status = command
        .arg("--export")
        .arg(format!("coco={}", coco.display()))
        .args(&images)
        .stdout(writer.try_clone().unwrap())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let written = fs::read_to_string(coco).unwrap();
    assert!(
        images
            .iter()
            .all(|image| written.contains(&image[image.len() - 7..]))
    );
}
