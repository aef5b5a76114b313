//! Pictures of answers: annotated copies, overlays and masks of many images, which objects are in
//! them, and going on after an interruption.

mod drawn;
mod filters;
#[path = "../folder/mod.rs"]
mod folder;
mod masks;
mod resumed;

use image::DynamicImage;
use serde_json::Value;

use folder::Folder;

fn picture(folder: &Folder, name: &str) -> DynamicImage {
    let path = folder.path(name);
    image::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of `--json`.
fn answers(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let output = folder.run(&[&["--json", "--quiet"], args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The value of an answer, a list.
fn objects(line: &Value) -> &[Value] {
    line["answer"]["value"].as_array().unwrap()
}
