//! Results of the decoder of one format.

use image::DynamicImage;
use image::metadata::Orientation;

use super::resize::MAX_SOURCE_SIDE;

/// A picture as stored in a file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The pixels as stored.
    pub(super) image: DynamicImage,
    /// The rotation and mirroring that shows the pixels upright.
    pub(super) orientation: Orientation,
    /// Damage of the file, if its pixels could be recovered as the reference's decoder recovers
    /// them.
    pub(super) damage: Option<Damage>,
}

/// Damage of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) what: String,
    /// The first row of pixels that may be affected.
    pub(super) from_row: Option<u32>,
}

/// The reason for an image to be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More pixels than allowed.
    Size { width: u64, height: u64 },
    /// A side too long to be resized.
    Side { width: u64, height: u64 },
    /// Something else, in a whole sentence.
    Whole(String),
    /// The file violates its format.
    Broken(String),
    /// The file is of a kind that is not supported.
    Unsupported(String),
}

impl Refusal {
    /// Refuses sizes that are not 1 to `max_pixels` pixels in all, and sides too long to be
    /// resized: decoding them would be wasted.
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
