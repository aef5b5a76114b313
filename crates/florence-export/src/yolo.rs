//! YOLO label files.

use std::fmt::Write;

use crate::fit::{Fitted, fit_all, keep_numbered, settled};
use crate::yaml::quoted;
use crate::{Categories, Document, ImageRecord};
use florence_postprocess::{Polygon, Size};

/// The task of YOLO labels.
///
/// # Example
///
/// ```
/// use florence_export::YoloTask;
///
/// assert_ne!(YoloTask::Detect, YoloTask::Segment);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum YoloTask {
    /// Boxes: `class center_x center_y width height`.
    #[default]
    Detect,
    /// Polygons: `class x y x y …`, one for each instance. The parts of an instance are joined by edges
    /// of zero width; boxes are their four corners.
    Segment,
}

/// The label file of an image: a line for each annotation, in fractions of width and height, to be saved
/// as `labels/NAME.txt` for `images/NAME.jpg`. Classes are the numbers of [`Categories`]. The format has
/// no scores.
///
/// # Example
///
/// ```
/// use florence_export::{Categories, ImageRecord, YoloTask, yolo_labels};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(32.0, 120.0, 96.0, 360.0)));
/// let mut classes = Categories::open();
/// let boxes = yolo_labels(&image, YoloTask::Detect, &mut classes);
/// assert_eq!(boxes.text, "0 0.1 0.5 0.1 0.5\n");
/// let outlines = yolo_labels(&image, YoloTask::Segment, &mut classes);
/// assert_eq!(outlines.text, "0 0.05 0.25 0.15 0.25 0.15 0.75 0.05 0.75\n");
/// assert_eq!(classes.names(), ["car"]);
/// ```
pub fn yolo_labels(image: &ImageRecord, task: YoloTask, categories: &mut Categories) -> Document {
    let (fitted, mut notes) = fit_all(image);
    let number = |label: &str| categories.number(label);
    let mut text = String::new();
    for (class, found) in keep_numbered(image, fitted, &mut notes, number) {
        let numbers = match task {
            YoloTask::Detect => shares_of_box(&found, image.size),
            YoloTask::Segment => {
                shares_of_outline(&Polygon::joined(&found.shape.polygons()), image.size)
            }
        };
        text.push_str(&class.to_string());
        for number in numbers {
            // Writing to a string does not fail.
            let _ = write!(text, " {number}");
        }
        text.push('\n');
    }
    Document::new(text, settled(notes))
}

/// The `data.yaml` of a YOLO data set: its folder, the folders of training and validation images in it,
/// and the class names. With an empty `path` the data set is the folder of the file.
///
/// # Example
///
/// ```
/// use florence_export::{Categories, yolo_data};
///
/// let classes = Categories::closed(["car", "the \"door\""]);
/// assert_eq!(yolo_data("street", "images/train", "images/val", &classes), r#"path: "street"
/// train: "images/train"
/// val: "images/val"
/// names:
///   0: "car"
///   1: "the \"door\""
/// "#);
/// ```
pub fn yolo_data(path: &str, train: &str, val: &str, categories: &Categories) -> String {
    let mut text = String::new();
    if !path.is_empty() {
        text.push_str(&format!("path: {}\n", quoted(path)));
    }
    let [train, val] = [train, val].map(quoted);
    text.push_str(&format!("train: {train}\nval: {val}\nnames:"));
    if categories.names().is_empty() {
        text.push_str(" {}");
    }
    text.push('\n');
    for (number, name) in categories.names().iter().enumerate() {
        text.push_str(&format!("  {number}: {}\n", quoted(name)));
    }
    text
}

/// `center_x center_y width height`.
fn shares_of_box(found: &Fitted<'_>, size: Size) -> Vec<f32> {
    let [x1, y1, x2, y2] = found.shape.bbox().to_array().map(f64::from);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let shares = [
        (x1 + x2) / 2.0 / width,
        (y1 + y2) / 2.0 / height,
        (x2 - x1) / width,
        (y2 - y1) / height,
    ];
    shares.map(|share| (share as f32).clamp(0.0, 1.0)).to_vec()
}

/// `x y x y …`.
fn shares_of_outline(outline: &Polygon, size: Size) -> Vec<f32> {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let points = outline.points.iter();
    let shares = points.flat_map(|point| [f64::from(point.x) / width, f64::from(point.y) / height]);
    shares.map(|share| (share as f32).clamp(0.0, 1.0)).collect()
}
