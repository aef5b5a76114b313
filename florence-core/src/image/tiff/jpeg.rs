//! JPEG strips and tiles, whose tables may be stored once for all of them.

use bitexact_jpeg::DecodeOptions;

use super::Refusal;
use super::layout::{Kind, Layout};

/// An Adobe marker that says whether three components are RGB or YCbCr: the
/// tags of a TIFF decide that, not what a decoder guesses.
const fn color(ycbcr: bool) -> [u8; 16] {
    let transform = ycbcr as u8;
    [
        0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, transform,
    ]
}

const BROKEN: &str = "a strip or tile is a JPEG that is broken or of a rare kind";

/// Decodes a block to gray, to red, green and blue, or to inks.
pub(super) fn unpack(stored: &[u8], layout: &Layout, rows: usize) -> Result<Vec<u8>, Refusal> {
    let body = stored
        .strip_prefix(b"\xff\xd8")
        .ok_or("a strip or tile is no JPEG")?;
    let tables = layout.jpeg_tables;
    let tables = tables.strip_prefix(b"\xff\xd8").unwrap_or_default();
    let tables = tables.strip_suffix(b"\xff\xd9").unwrap_or(tables);
    let mut file = b"\xff\xd8".to_vec();
    file.extend_from_slice(&color(layout.kind == Kind::YCbCr));
    file.extend_from_slice(tables);
    file.extend_from_slice(body);
    let size = (layout.block_width as u32, rows as u32);
    let inks = layout.kind == Kind::Cmyk;
    let options = DecodeOptions::new()
        .max_pixels(u64::from(size.0) * u64::from(size.1))
        .keep_inks(inks);
    let decoded = bitexact_jpeg::decode(&file, &options).map_err(|error| error.to_string())?;
    let samples = if inks {
        4
    } else {
        layout.samples / layout.planes
    };
    let whole = decoded.damage.is_none() && (decoded.width, decoded.height) == size;
    if whole && decoded.layout.bytes_per_pixel() == samples {
        Ok(decoded.pixels)
    } else {
        Err(BROKEN.into())
    }
}
