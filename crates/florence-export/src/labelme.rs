//! LabelMe files.

use crate::fit::{FittedShape, fit_all, settled};
use crate::json::{Json, object};
use crate::{Document, ImageRecord};
use florence_postprocess::{Point, Polygon, decimal};

/// The LabelMe file of an image, to be saved beside it: boxes as rectangles, everything else as
/// polygons. The parts of an instance share a `group_id`; holes of masks are joined to the outline.
///
/// Beyond the format, which ignores them: `score`; `exif_orientation` and `frame` of an image that is
/// not stored upright; `file_name_bytes` (base64) of a name that is not UTF-8.
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
    let mut shapes: Vec<Json> = Vec::new();
    let mut groups = 0;
    for found in fitted {
        let outlines: Vec<Json> = match &found.shape {
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
            let mut shape = object([
                ("label", found.label.into()),
                ("points", points),
                ("group_id", group.into()),
                ("description", "".into()),
                ("shape_type", shape_type.into()),
                ("flags", object([])),
                ("mask", None.into()),
            ]);
            if let Some(score) = found.score {
                shape.push("score", decimal(score));
            }
            shape
        }));
    }
    let mut document = object([
        ("version", "5.5.0".into()),
        ("flags", object([])),
        ("shapes", shapes.into()),
        ("imagePath", image.file_name.as_str().into()),
        ("imageData", None.into()),
        ("imageHeight", image.size.height.into()),
        ("imageWidth", image.size.width.into()),
    ]);
    for (key, value) in image.remarks() {
        document.push(key, value);
    }
    Document::new(format!("{document:#}\n"), settled(notes))
}

fn pair(point: &Point) -> Json {
    [decimal(point.x), decimal(point.y)].into()
}
