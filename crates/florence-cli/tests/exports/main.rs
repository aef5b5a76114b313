//! `florence run --export`: repeated, nested, concurrent and interrupted runs.

mod dataset;
#[path = "../folder/mod.rs"]
mod folder;
mod frames;
mod interrupted;
mod names;
mod yolo;

use serde_json::Value;

use folder::{Folder, scene};

/// The `file_name` of every image, in order.
fn file_names(coco: &Value) -> Vec<&str> {
    let images = coco["images"].as_array().unwrap().iter();
    images
        .map(|image| image["file_name"].as_str().unwrap())
        .collect()
}
