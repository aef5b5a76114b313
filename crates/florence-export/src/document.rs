//! Annotation files of one image.

use crate::ExportNote;

/// The annotation file of one image, with notes on what differs from the annotations.
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
#[non_exhaustive]
pub struct Document {
    /// The text, to be written as UTF-8.
    pub text: String,
    /// What was changed or left out.
    pub notes: Vec<ExportNote>,
}

impl Document {
    /// A file with this text and these notes.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::Document;
    ///
    /// assert_eq!(Document::new("text", Vec::new()).text, "text");
    /// ```
    pub fn new(text: impl Into<String>, notes: Vec<ExportNote>) -> Self {
        Self {
            text: text.into(),
            notes,
        }
    }
}
