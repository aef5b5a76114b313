//! The first frame of a GIF as Pillow reads it.

mod header;
mod lzw;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};

use self::header::Header;
use super::decoded::{Decoded, Refusal};

/// Reads the first frame of a GIF of at most `max_pixels`.
///
/// Where the frame does not cover the screen, there is the frame's transparent index, or index 0:
/// transparency itself is dropped.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let header = Header::read(bytes)?;
    let (width, height) = (header.width, header.height);
    Refusal::unless_fits(width as u64, height as u64, max_pixels)?;
    let mut indices = vec![header.transparent.unwrap_or(0); width * height];
    lzw::unpack(&header, &mut indices)?;
    let (width, height) = (width as u32, height as u32);
    let image = match &header.colors {
        None => GrayImage::from_raw(width, height, indices).map(DynamicImage::ImageLuma8),
        Some(colors) => {
            let rgb = indices.iter().flat_map(|i| colors[usize::from(*i)]);
            let mut samples = Vec::with_capacity(3 * indices.len());
            samples.extend(rgb);
            RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
        }
    };
    Ok(Decoded {
        image: image.ok_or("too large")?,
        orientation: Orientation::NoTransforms,
        damage: None,
    })
}
