//! LabelMe's files.

use serde_json::{Value, json};

use crate::fit::{FittedShape, fit_all, settled};
use crate::{Document, ImageRecord};
use florence_postprocess::decimal;
use florence_postprocess::{Point, Polygon};

/// The LabelMe file of an image, to be saved beside it: boxes as rectangles, everything else as
/// polygons. The parts of a thing share a `group_id`; holes in masks are cut open. Scores are in
/// `score`, which LabelMe keeps without reading it; so are `exif_orientation` and `frame` of an image
/// whose file is stored turned, and `file_name_bytes` of a name that is no UTF-8.
///
/// # Example
///
/// ```
/// use florence_export::{ImageRecord, labelme_document};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(34.5, 160.0, 597.0, 371.0)));
/// let document = labelme_document(&image);
/// let json: serde_json::Value = serde_json::from_str(&document.text).unwrap();
/// assert_eq!(json["imagePath"], "street.jpg");
/// assert_eq!(json["shapes"][0]["shape_type"], "rectangle");
/// assert_eq!(json["shapes"][0]["points"][0], serde_json::json!([34.5, 160.0]));
/// ```
pub fn labelme_document(image: &ImageRecord) -> Document {
    let (fitted, notes) = fit_all(image);
    let mut shapes: Vec<Value> = Vec::new();
    let mut groups = 0;
    for found in fitted {
        let outlines: Vec<Value> = match &found.shape {
            FittedShape::Box(bbox) => {
                let corners = [Point::new(bbox.x1, bbox.y1), Point::new(bbox.x2, bbox.y2)];
                vec![corners.iter().map(pair).collect()]
            }
            other => {
                let polygons = other.polygons();
                let corners = |polygon: &Polygon| polygon.points.iter().map(pair).collect();
                polygons.iter().map(corners).collect()
            }
        };
        let shape_type = match &found.shape {
            FittedShape::Box(_) => "rectangle",
            FittedShape::Outlines(..) | FittedShape::Mask(_) => "polygon",
        };
        let group = (outlines.len() > 1).then_some(groups);
        groups += usize::from(group.is_some());
        shapes.extend(outlines.into_iter().map(|points| {
            let mut shape = json!({
                "label": found.label,
                "points": points,
                "group_id": group,
                "description": "",
                "shape_type": shape_type,
                "flags": {},
                "mask": null,
            });
            if let Some(score) = found.score {
                shape["score"] = json!(decimal(score));
            }
            shape
        }));
    }
    let mut document = json!({
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image.file_name,
        "imageData": null,
        "imageHeight": image.size.height,
        "imageWidth": image.size.width,
    });
    for (key, value) in image.remarks() {
        document[key] = value;
    }
    Document {
        text: format!("{document:#}\n"),
        notes: settled(notes),
    }
}

fn pair(point: &Point) -> Value {
    json!([decimal(point.x), decimal(point.y)])
}
