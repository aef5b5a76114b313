//! Export notes and counts.

use std::fmt;

use crate::ImageRecord;
use florence_postprocess::{Annotation, Size};

/// A note on an annotation that an export changed or left out, so that its files are valid.
///
/// # Example
///
/// ```
/// use florence_export::{ExportNoteKind, ImageRecord, voc_document};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(700.0, 160.0, 797.0, 371.0)));
/// let note = &voc_document(&image).notes[0];
/// assert_eq!(note.kind, ExportNoteKind::Outside);
/// assert_eq!(
///     note.to_string(),
///     r#"street.jpg, annotation 0 ("car"): left out: it lies outside of the image"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExportNote {
    /// The name of the image's file.
    pub image: String,
    /// The index of the annotation in its image.
    pub annotation: usize,
    /// The label of the annotation.
    pub label: String,
    /// What was changed or left out, and why.
    pub kind: ExportNoteKind,
}

impl ExportNote {
    pub(super) fn new(image: &ImageRecord, index: usize, kind: ExportNoteKind) -> Self {
        let label = image
            .annotations
            .get(index)
            .map(|found| found.label.clone());
        Self {
            image: image.file_name.clone(),
            annotation: index,
            label: label.unwrap_or_default(),
            kind,
        }
    }
}

impl fmt::Display for ExportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, annotation {} ({:?}): {}",
            self.image, self.annotation, self.label, self.kind
        )
    }
}

/// The kinds of export notes.
///
/// # Example
///
/// ```
/// use florence_export::ExportNoteKind;
///
/// assert!(ExportNoteKind::NoArea.is_left_out());
/// assert_eq!(ExportNoteKind::Clipped.to_string(), "cut off at the edges of the image");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ExportNoteKind {
    /// Clipped to the image.
    Clipped,
    /// Some of the polygons are left out: they have no area in the image, or a coordinate that is
    /// not a number.
    PartsLeftOut {
        /// How many.
        parts: usize,
    },
    /// Characters of the label that the format cannot hold appear as U+FFFD.
    LabelChanged,
    /// It has no label, which the format does not allow, and is named `object`.
    Unlabeled,
    /// A score that is not a number is left out.
    ScoreLeftOut,
    /// It covers the center of no pixel: its run lengths are those of an empty mask.
    NoPixel,
    /// Left out: a coordinate is not a number.
    NotFinite,
    /// Left out: it has no area, or less than a millionth of a pixel's; in a list of masks, no pixel.
    NoArea,
    /// Left out: its polygons cross more than 4,194,304 columns of pixels, too many to rasterize.
    TooLarge,
    /// Left out: it lies outside of the image.
    Outside,
    /// Left out: its mask is of an image of another size.
    MaskSize {
        /// The size of the mask.
        mask: Size,
        /// The size of the image.
        image: Size,
    },
    /// Left out: its label is not in the closed list.
    UnknownLabel,
}

impl ExportNoteKind {
    /// Whether the annotation is not in the file.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ExportNoteKind;
    ///
    /// assert!(!ExportNoteKind::Clipped.is_left_out());
    /// ```
    pub fn is_left_out(&self) -> bool {
        match self {
            Self::Clipped
            | Self::PartsLeftOut { .. }
            | Self::LabelChanged
            | Self::Unlabeled
            | Self::ScoreLeftOut
            | Self::NoPixel => false,
            Self::NotFinite
            | Self::NoArea
            | Self::TooLarge
            | Self::Outside
            | Self::MaskSize { .. }
            | Self::UnknownLabel => true,
        }
    }
}

impl fmt::Display for ExportNoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clipped => f.write_str("cut off at the edges of the image"),
            Self::PartsLeftOut { parts } => {
                write!(
                    f,
                    "polygons without area in the image, or with a coordinate that is not a \
                     number, are left out: {parts}"
                )
            }
            Self::LabelChanged => f.write_str("characters that XML cannot hold appear as U+FFFD"),
            Self::Unlabeled => f.write_str("without a label: called \"object\""),
            Self::ScoreLeftOut => f.write_str("a score that is not a number is left out"),
            Self::NoPixel => f.write_str("covers the middle of no pixel: its mask is empty"),
            Self::NotFinite => f.write_str("left out: a coordinate is not a number"),
            Self::NoArea => f.write_str("left out: it has no area"),
            Self::TooLarge => f.write_str("left out: its outlines are too long to be drawn"),
            Self::Outside => f.write_str("left out: it lies outside of the image"),
            Self::MaskSize { mask, image } => {
                write!(f, "left out: a mask of {mask} in an image of {image}")
            }
            Self::UnknownLabel => f.write_str("left out: its label is not in the class list"),
        }
    }
}

/// Counts of what an export wrote and left out.
///
/// # Example
///
/// ```
/// use florence_export::{ExportCounts, ImageRecord, voc_document};
/// use florence_postprocess::{Annotation, BBox, Size};
///
/// let mut image = ImageRecord::new("street.jpg", Size::new(640, 480));
/// image.annotations.push(Annotation::new("car", BBox::new(600.0, 160.0, 797.0, 371.0)));
/// image.annotations.push(Annotation::new("car", BBox::new(700.0, 160.0, 797.0, 371.0)));
/// let mut counts = ExportCounts::default();
/// counts.add(&image.annotations, &voc_document(&image).notes);
/// assert_eq!((counts.annotations, counts.changed, counts.left_out), (1, 1, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExportCounts {
    /// Images.
    pub images: usize,
    /// Annotations that are in the files.
    pub annotations: usize,
    /// Notes about annotations that are in the files, but changed.
    pub changed: usize,
    /// Annotations that are not in the files.
    pub left_out: usize,
}

impl ExportCounts {
    /// Counts one image, its annotations and the notes about them.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_export::ExportCounts;
    ///
    /// let mut counts = ExportCounts::default();
    /// counts.add(&[], &[]);
    /// assert_eq!((counts.images, counts.annotations), (1, 0));
    /// ```
    pub fn add(&mut self, annotations: &[Annotation], notes: &[ExportNote]) {
        let left_out = notes.iter().filter(|note| note.kind.is_left_out()).count();
        self.images += 1;
        self.annotations += annotations.len().saturating_sub(left_out);
        self.changed += notes.len() - left_out;
        self.left_out += left_out;
    }
}
