//! Images with their annotations.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use florence_postprocess::{Annotation, Answer, Orientation, Size};

/// An image with its annotations.
///
/// # Example
///
/// ```
/// use florence_export::ImageRecord;
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(34.0, 160.0, 597.0, 371.0)));
/// assert_eq!(image.annotations.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ImageRecord {
    /// The name of the image's file as exports refer to it, with `/` between folders.
    pub file_name: String,
    /// The bytes of the name if they are not UTF-8, and `file_name` has U+FFFD instead. Written in
    /// base64 beside the name.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub file_name_bytes: Option<Vec<u8>>,
    /// The size of the image.
    pub size: Size,
    /// The EXIF orientation of the file, where `size` and the annotations are those of the upright image
    /// ([`ImageRecord::upright`]), which viewers and labeling tools show. Written where the format
    /// allows it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub stored: Orientation,
    /// The annotations.
    pub annotations: Vec<Annotation>,
}

impl ImageRecord {
    /// An image without annotations.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Size;
    /// use florence_export::ImageRecord;
    ///
    /// let image = ImageRecord::new("street.jpg", Size::new(640, 480));
    /// assert!(image.annotations.is_empty());
    /// ```
    pub fn new(file_name: impl Into<String>, size: Size) -> Self {
        Self {
            file_name: file_name.into(),
            file_name_bytes: None,
            size,
            stored: Orientation::Upright,
            annotations: Vec::new(),
        }
    }

    /// With this file name; `bytes` are those of a name that is not UTF-8.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ImageRecord;
    /// use florence_postprocess::Size;
    ///
    /// let image = ImageRecord::new("a/street.jpg", Size::new(640, 480));
    /// let image = image.with_file_name("street.jpg", None);
    /// assert_eq!(image.file_name, "street.jpg");
    /// ```
    #[must_use]
    pub fn with_file_name(self, name: impl Into<String>, bytes: Option<Vec<u8>>) -> Self {
        Self {
            file_name: name.into(),
            file_name_bytes: bytes,
            ..self
        }
    }

    /// The record of the upright image, where this one is in stored pixels of a file with this
    /// orientation.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ImageRecord;
    /// use florence_postprocess::{Annotation, BBox, Orientation, Shape, Size};
    ///
    /// let mut image = ImageRecord::new("phone.jpg", Size::new(640, 480));
    /// image.annotations.push(Annotation::new("car", BBox::new(0.0, 0.0, 60.0, 40.0)));
    /// let image = image.upright(Orientation::Turned90);
    /// assert_eq!(image.size, Size::new(480, 640));
    /// assert_eq!(image.annotations[0].shape, Shape::Box(BBox::new(440.0, 0.0, 480.0, 60.0)));
    /// ```
    #[must_use]
    pub fn upright(mut self, stored: Orientation) -> Self {
        for annotation in &mut self.annotations {
            annotation.shape = stored.upright_shape(&annotation.shape, self.size);
        }
        Self {
            size: stored.upright_size(self.size),
            stored,
            ..self
        }
    }

    /// Names and values for formats with metadata of their own, such as hOCR: `file-name-bytes` of a
    /// name that is not UTF-8 (base64), `exif-orientation` and `frame` of an image that is not stored
    /// upright.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ImageRecord;
    /// use florence_postprocess::{Orientation, Size};
    ///
    /// let image = ImageRecord::new("page.jpg", Size::new(640, 480)).upright(Orientation::Turned90);
    /// let metadata = [("exif-orientation", "6"), ("frame", "upright")];
    /// assert_eq!(image.metadata(), metadata.map(|(k, v)| (k.to_owned(), v.to_owned())));
    /// ```
    pub fn metadata(&self) -> Vec<(String, String)> {
        let values = self.remarks().into_iter();
        let texts = values.map(|(key, value)| match value {
            serde_json::Value::String(text) => (key, text),
            other => (key, other.to_string()),
        });
        texts
            .map(|(key, text)| (key.replace('_', "-"), text))
            .collect()
    }

    /// The same as JSON, with `_` in the keys.
    pub(crate) fn remarks(&self) -> Vec<(&'static str, serde_json::Value)> {
        let mut remarks = Vec::new();
        if let Some(bytes) = &self.file_name_bytes {
            remarks.push(("file_name_bytes", BASE64_STANDARD.encode(bytes).into()));
        }
        if self.stored != Orientation::Upright {
            remarks.push(("exif_orientation", self.stored.to_exif().into()));
            remarks.push(("frame", "upright".into()));
        }
        remarks
    }

    /// Adds all localized parts of an answer ([`Annotation::from_answer`]).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ImageRecord;
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

    /// Sets the label of annotations that have none, such as region proposals or answers to a referring
    /// expression.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ImageRecord;
    /// use florence_postprocess::{AnswerForm, Size, parse_text};
    ///
    /// let size = Size::new(640, 480);
    /// let answer = "</s><s><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></s>";
    /// let mut image = ImageRecord::new("street.jpg", size);
    /// image.extend_from_answer(&parse_text(AnswerForm::Polygons, answer, size).answer);
    /// image.label_unlabeled("a green car");
    /// assert_eq!(image.annotations[0].label, "a green car");
    /// ```
    pub fn label_unlabeled(&mut self, label: &str) {
        let annotations = self.annotations.iter_mut();
        for annotation in annotations.filter(|annotation| annotation.label.is_empty()) {
            label.clone_into(&mut annotation.label);
        }
    }
}
