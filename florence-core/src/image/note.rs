//! Notes about image files.

use std::fmt;

/// A fact about an image file that its pixels do not show.
///
/// Serialized (feature `serde`), `kind` is `image_damaged` or `image_stored_turned`.
///
/// # Example
///
/// ```
/// use florence_core::image::ImageNote;
///
/// let note = ImageNote::Damaged { what: "the data ends early".to_owned(), from_row: Some(120) };
/// assert_eq!(note.to_string(), "image_damaged: the data ends early, from row 120 on");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "kind")
)]
#[non_exhaustive]
pub enum ImageNote {
    /// The file is damaged. Its pixels are those that the reference's decoder recovers: some are
    /// wrong.
    #[cfg_attr(feature = "serde", serde(rename = "image_damaged"))]
    Damaged {
        /// What is wrong with the file.
        what: String,
        /// The first row of pixels, counted from 0 in the picture as stored,
        /// that may be affected, where that is known.
        from_row: Option<u32>,
    },
    /// The photo is stored turned or mirrored, and its pixels were used as they
    /// are stored: all geometry refers to these, while viewers and most
    /// labeling tools show the photo upright.
    #[cfg_attr(feature = "serde", serde(rename = "image_stored_turned"))]
    StoredTurned {
        /// The EXIF orientation, 2 to 8.
        exif_orientation: u8,
    },
}

impl fmt::Display for ImageNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { what, from_row } => {
                write!(f, "image_damaged: {what}")?;
                from_row.map_or(Ok(()), |row| write!(f, ", from row {row} on"))
            }
            Self::StoredTurned { exif_orientation } => write!(
                f,
                "image_stored_turned: the photo is stored turned (EXIF orientation \
                 {exif_orientation}) and its pixels were used as stored"
            ),
        }
    }
}
