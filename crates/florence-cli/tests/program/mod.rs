//! The command as a process. Each test uses a part of this.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A photo of 618 × 524 pixels that the model that ships knows.
pub(crate) const SCENE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../florence-nano/eval/images/001.png"
);

pub(crate) fn florence<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .output()
        .unwrap()
}

/// `florence run --num-beams 1` with these arguments.
pub(crate) fn run(args: &[&str], images: &[&Path]) -> Output {
    let args = ["run", "--num-beams", "1"].iter().chain(args);
    florence(
        args.map(OsStr::new)
            .chain(images.iter().map(|path| path.as_os_str())),
    )
}

/// `florence` with this on its stdin.
pub(crate) fn fed(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // In a thread of its own: answers fill their pipe before the input ends.
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file in a folder.
pub(crate) fn file(dir: &tempfile::TempDir, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
