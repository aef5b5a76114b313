//! Pascal VOC annotation files.

use crate::fit::{fit_all, settled};
use crate::{Document, ExportNote, ExportNoteKind, ImageRecord};
use florence_postprocess::xml::escaped;

/// The name of annotations without a label: readers of the format fail on an empty name.
const UNLABELED: &str = "object";

/// The Pascal VOC file of an image, with a box for each annotation.
///
/// Boxes are in whole pixels, 1-based and inclusive, as VOC defines them: `xmin` 1 and `xmax` 640 are
/// the whole width of an image of 640 pixels. A pixel that a box touches belongs to it. `folder` is the
/// file's name up to its last `/`. The format has no polygons and no scores; annotations without a label
/// are named `object`. Characters of the file's name that XML cannot represent become U+FFFD.
///
/// Beyond the format: `exif_orientation` and `frame` of an image that is not stored upright,
/// `file_name_bytes` (base64) of a name that is not UTF-8.
///
/// # Example
///
/// ```
/// use florence_export::{ImageRecord, voc_document};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("<car> & co", BBox::new(0.0, 160.2, 640.0, 371.7)));
/// let document = voc_document(&image);
/// assert!(document.text.contains("<name>&lt;car&gt; &amp; co</name>"));
/// assert!(document.text.contains("<xmin>1</xmin>"));
/// assert!(document.text.contains("<ymin>161</ymin>"));
/// assert!(document.text.contains("<xmax>640</xmax>"));
/// assert!(document.text.contains("<ymax>372</ymax>"));
/// ```
pub fn voc_document(image: &ImageRecord) -> Document {
    let (fitted, mut notes) = fit_all(image);
    let (folder, name) = image
        .file_name
        .rsplit_once('/')
        .unwrap_or(("", &image.file_name));
    let [(folder, _), (name, _)] = [folder, name].map(escaped);
    let (width, height) = (image.size.width, image.size.height);
    let mut text = format!(
        "<annotation>\n  <folder>{folder}</folder>\n  <filename>{name}</filename>\n  \
         <size>\n    <width>{width}</width>\n    <height>{height}</height>\n    \
         <depth>3</depth>\n  </size>\n  <segmented>0</segmented>\n"
    );
    for (key, value) in image.remarks() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("  <{key}>{value}</{key}>\n"));
    }
    for found in fitted {
        let (mut label, changed) = escaped(found.label);
        let mut note = |kind| notes.push(ExportNote::new(image, found.index, kind));
        if changed {
            note(ExportNoteKind::LabelChanged);
        }
        if label.is_empty() {
            UNLABELED.clone_into(&mut label);
            note(ExportNoteKind::Unlabeled);
        }
        let bbox = found.shape.bbox();
        let first = |edge: f32| edge.floor() as u64 + 1;
        // Edges of large images are rounded: to beyond their ends, or to where the next pixel starts.
        let last = |edge: f32, end: u32| (edge.ceil() as u64).min(end.into());
        text.push_str(&format!(
            "  <object>\n    <name>{label}</name>\n    <pose>Unspecified</pose>\n    \
             <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n      \
             <xmin>{}</xmin>\n      <ymin>{}</ymin>\n      \
             <xmax>{}</xmax>\n      <ymax>{}</ymax>\n    </bndbox>\n  </object>\n",
            first(bbox.x1),
            first(bbox.y1),
            last(bbox.x2, width),
            last(bbox.y2, height),
        ));
    }
    text.push_str("</annotation>\n");
    Document::new(text, settled(notes))
}
