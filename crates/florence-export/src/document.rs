//! The file of one image.

use crate::ExportNote;

/// The text of a file about one image, and what is different in it from the annotations.
///
/// # Example
///
/// ```
/// use florence_postprocess::Size;
/// use florence_export::{ImageRecord, labelme_document};
///
/// let document = labelme_document(&ImageRecord::new("street.jpg", Size::new(640, 480)));
/// assert!(document.text.contains("street.jpg"));
/// assert!(document.notes.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Document {
    /// The text, to be written as UTF-8.
    pub text: String,
    /// What was changed or left out.
    pub notes: Vec<ExportNote>,
}
