//! Folders of images: which are taken, several questions about each, captions beside them, lines in
//! a file, and going on after an interruption.

mod captions;
#[path = "../folder/mod.rs"]
mod folder;
mod inputs;
mod lines;
mod questions;

use std::process::Output;

use serde_json::Value;

/// The lines of JSON on stdout.
fn json(output: &Output) -> Vec<Value> {
    of_text(std::str::from_utf8(&output.stdout).unwrap())
}

fn of_text(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The image of each line.
fn images(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["image"].as_str().unwrap())
        .collect()
}
