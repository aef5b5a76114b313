//! What a decoder of one format gives.

use image::DynamicImage;
use image::metadata::Orientation;

use super::resize::MAX_SOURCE_SIDE;

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

/// Why there are no pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More pixels than allowed.
    Size { width: u64, height: u64 },
    /// A side that is too long to be resized.
    Side { width: u64, height: u64 },
    /// Something else, in a whole sentence.
    Whole(String),
    /// The file is not what its format asks for.
    Broken(String),
    /// The file is of a kind that cannot be read.
    Unsupported(String),
}

impl Refusal {
    /// Refuses sizes that are not 1 to `max_pixels` pixels in all, and sides
    /// that no resize takes: unpacking them would be for nothing.
    pub(super) fn unless_fits(width: u64, height: u64, max_pixels: u64) -> Result<(), Self> {
        match width.checked_mul(height) {
            Some(0) => Err(format!("{width} × {height} pixels").into()),
            Some(pixels) if pixels <= max_pixels => {
                if width.max(height) > MAX_SOURCE_SIDE as u64 {
                    return Err(Refusal::Side { width, height });
                }
                Ok(())
            }
            _ => Err(Refusal::Size { width, height }),
        }
    }
}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Refusal::Broken(what)
    }
}

impl From<&str> for Refusal {
    fn from(what: &str) -> Self {
        Refusal::Broken(what.to_owned())
    }
}
