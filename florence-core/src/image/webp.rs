//! WebP, by the `image-webp` crate.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, Limits};

use super::decoded::{Decoded, Refusal};
use super::orientation;

/// Bytes that a file may take beside its pixels.
const METADATA: u64 = 64 << 20;

/// Reads the first frame of a WebP of at most `max_pixels`.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let broken = |error: ImageError| Refusal::Broken(error.to_string());
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    Refusal::unless_fits(width.into(), height.into(), max_pixels)?;
    let mut limits = Limits::default();
    let pixels = u64::from(width) * u64::from(height);
    limits.max_alloc = Some(pixels.saturating_mul(16).saturating_add(METADATA));
    decoder.set_limits(limits).map_err(broken)?;
    let exif = decoder.exif_metadata().map_err(broken)?.unwrap_or_default();
    let xmp = decoder.xmp_metadata().map_err(broken)?.unwrap_or_default();
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
    let orientation = orientation::of(exif, &xmp);
    Ok(Decoded {
        image: DynamicImage::from_decoder(decoder).map_err(broken)?,
        orientation,
        damage: None,
    })
}
