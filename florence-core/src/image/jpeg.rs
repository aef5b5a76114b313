//! JPEG, by `bitexact-jpeg`, whose pixels are those of Pillow's decoder.

use bitexact_jpeg::{DecodeOptions, Error, PixelLayout};
use image::{DynamicImage, GrayImage, RgbImage};

use super::decoded::{Damage, Decoded, Refusal};
use super::orientation;

/// Reads a JPEG of at most `max_pixels`.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let options = DecodeOptions::new().max_pixels(max_pixels);
    let decoded = bitexact_jpeg::decode(bytes, &options)?;
    let (width, height) = (decoded.width, decoded.height);
    let image = match decoded.layout {
        PixelLayout::Gray8 => {
            GrayImage::from_raw(width, height, decoded.pixels).map(DynamicImage::ImageLuma8)
        }
        PixelLayout::Rgb8 => {
            RgbImage::from_raw(width, height, decoded.pixels).map(DynamicImage::ImageRgb8)
        }
        _ => None,
    };
    Ok(Decoded {
        image: image.ok_or("its pixels are of an unknown layout")?,
        orientation: orientation::of(&decoded.exif, &decoded.xmp),
        damage: decoded.damage.map(|damage| Damage {
            what: damage.what,
            from_row: damage.from_row,
        }),
    })
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyPixels { width, height, .. } => Refusal::Size {
                width: width.into(),
                height: height.into(),
            },
            error => Refusal::Whole(error.to_string()),
        }
    }
}
