//! What decoding gives.

use crate::damage::Damage;

/// What the bytes of [`Decoded::pixels`] are.
///
/// # Example
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, PixelLayout, decode};
///
/// let gray = std::fs::read("tests/data/jpeg_kinds/grey_units.jpg")?;
/// let layout = decode(&gray, &DecodeOptions::new())?.layout;
/// assert_eq!(layout, PixelLayout::Gray8);
/// assert_eq!(layout.bytes_per_pixel(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelLayout {
    /// One byte a pixel.
    Gray8,
    /// Red, green, blue.
    Rgb8,
    /// Cyan, magenta, yellow, black as stored; Adobe stores 255 for no ink.
    /// Only with [`DecodeOptions::keep_inks`](crate::DecodeOptions::keep_inks).
    Cmyk8,
    /// Four components as stored, of which the first three are the YCbCr
    /// transform of inks. Only with
    /// [`DecodeOptions::keep_inks`](crate::DecodeOptions::keep_inks).
    Ycck8,
}

impl PixelLayout {
    /// The bytes that a pixel takes: 1, 3 or 4.
    ///
    /// # Example
    ///
    /// ```
    /// use bitexact_jpeg::PixelLayout;
    ///
    /// assert_eq!(PixelLayout::Rgb8.bytes_per_pixel(), 3);
    /// assert_eq!(PixelLayout::Cmyk8.bytes_per_pixel(), 4);
    /// ```
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Cmyk8 | Self::Ycck8 => 4,
        }
    }
}

/// A decoded image.
///
/// # Example: metadata
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, decode};
///
/// let mut file = std::fs::read("tests/data/jpeg/noise_2.jpg")?;
/// assert!(decode(&file, &DecodeOptions::new())?.exif.is_empty());
///
/// let exif = b"\xff\xe1\0\x0aExif\0\0MM";
/// file.splice(2..2, *exif);
/// assert_eq!(decode(&file, &DecodeOptions::new())?.exif, b"MM");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The width in pixels, 1 to 65,500.
    pub width: u32,
    /// The height in pixels, 1 to 65,500.
    pub height: u32,
    /// What the bytes of `pixels` are.
    pub layout: PixelLayout,
    /// `width · height` pixels, row by row from the top, without padding.
    pub pixels: Vec<u8>,
    /// The EXIF data of the file, from the TIFF header on, unparsed; those of
    /// several segments are joined. Empty where there is none.
    pub exif: Vec<u8>,
    /// The last XMP packet before the first scan, unparsed. Empty where there
    /// is none.
    pub xmp: Vec<u8>,
    /// What is wrong with the file; `None` for a file that is whole.
    pub damage: Option<Damage>,
}
