//! Where nobody hears what is said on stderr, as on a full disk, images are answered all the same.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::process::Command;

const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/scene.png");

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
