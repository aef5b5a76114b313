//! hOCR with what is known about the image's file.

use serde_json::Value;

use super::{Document, ImageRecord};
use crate::reading::Page;

/// The hOCR file of a page ([`Page::to_hocr`]), with `meta` elements `exif-orientation` and `frame` of an
/// image whose file is stored turned, and `file-name-bytes` of a name that is no UTF-8.
///
/// # Example
///
/// ```
/// use florence_postprocess::export::{ImageRecord, hocr_document};
/// use florence_postprocess::reading::Page;
/// use florence_postprocess::{Orientation, Size};
///
/// let image = ImageRecord::new("page.jpg", Size::new(640, 480)).upright(Orientation::Turned90);
/// let page = Page::from_regions(&[], image.size);
/// let document = hocr_document(&image, &page);
/// assert!(document.text.contains(r#"<meta name="exif-orientation" content="6"/>"#));
/// assert!(document.text.contains("bbox 0 0 480 640"));
/// ```
pub fn hocr_document(image: &ImageRecord, page: &Page) -> Document {
    let remarks = image.remarks().into_iter();
    let meta: Vec<(String, String)> = remarks
        .map(|(key, value)| match value {
            Value::String(text) => (key.replace('_', "-"), text),
            other => (key.replace('_', "-"), other.to_string()),
        })
        .collect();
    Document {
        text: page.hocr_with(&image.file_name, &meta),
        notes: Vec::new(),
    }
}
