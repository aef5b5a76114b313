//! What a decoder of one format gives.

use image::DynamicImage;
use image::metadata::Orientation;

/// A picture as it is stored in a file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The pixels as stored.
    pub(super) image: DynamicImage,
    /// How the pixels are to be turned to be seen upright.
    pub(super) orientation: Orientation,
    /// What is wrong with the file, where its pixels could be recovered as the
    /// reference's decoder recovers them.
    pub(super) damage: Option<Damage>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) what: String,
    /// The first row of pixels that may be affected.
    pub(super) from_row: Option<u32>,
}
