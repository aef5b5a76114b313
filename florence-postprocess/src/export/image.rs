//! An image and what was found in it.

use super::Annotation;
use crate::answer::Answer;
use crate::geometry::Size;

/// An image and the annotations of it.
///
/// # Example
///
/// ```
/// use florence_postprocess::export::{Annotation, ImageRecord};
/// use florence_postprocess::{BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(34.0, 160.0, 597.0, 371.0)));
/// assert_eq!(image.annotations.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ImageRecord {
    /// The name of the image's file, as files are to refer to it.
    pub file_name: String,
    /// The size of the image.
    pub size: Size,
    /// What was found in it.
    pub annotations: Vec<Annotation>,
}

impl ImageRecord {
    /// An image without annotations.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Size;
    /// use florence_postprocess::export::ImageRecord;
    ///
    /// let image = ImageRecord::new("street.jpg", Size::new(640, 480));
    /// assert!(image.annotations.is_empty());
    /// ```
    pub fn new(file_name: impl Into<String>, size: Size) -> Self {
        Self {
            file_name: file_name.into(),
            size,
            annotations: Vec::new(),
        }
    }

    /// Adds everything that an answer gives a place to
    /// ([`Annotation::from_answer`](Annotation::from_answer)).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::export::ImageRecord;
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let size = Size::new(640, 480);
    /// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
    /// let mut image = ImageRecord::new("street.jpg", size);
    /// image.extend_from_answer(&parse_text(AnswerForm::Boxes, answer, size).answer);
    /// assert_eq!(image.annotations[0].label, "car");
    /// ```
    pub fn extend_from_answer(&mut self, answer: &Answer) {
        self.annotations.extend(Annotation::from_answer(answer));
    }

    /// Gives a label to the annotations that have none, such as region proposals or the answer to
    /// a referring expression.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::export::ImageRecord;
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let size = Size::new(640, 480);
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let mut image = ImageRecord::new("street.jpg", size);
    /// image.extend_from_answer(&parse_text(AnswerForm::Polygons, answer, size).answer);
    /// image.label_unlabelled("a green car");
    /// assert_eq!(image.annotations[0].label, "a green car");
    /// ```
    pub fn label_unlabelled(&mut self, label: &str) {
        let annotations = self.annotations.iter_mut();
        for annotation in annotations.filter(|annotation| annotation.label.is_empty()) {
            label.clone_into(&mut annotation.label);
        }
    }
}
