//! JPEG strips and tiles, whose tables may be stored once for all of them.

use image::DynamicImage;

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
    let pixels = layout.block_width as u64 * rows as u64;
    if layout.kind == Kind::Cmyk {
        let read =
            super::super::jpeg::read_inks(&file, pixels).map_err(|fault| fault.to_string())?;
        let whole = read.damage.is_none() && read.image.len() as u64 == 4 * pixels;
        return match whole {
            true => Ok(read.image),
            false => Err(BROKEN.into()),
        };
    }
    let size = (layout.block_width as u32, rows as u32);
    let read = super::super::jpeg::read(&file, pixels).map_err(|fault| fault.to_string())?;
    let whole = read.damage.is_none() && (read.image.width(), read.image.height()) == size;
    match (read.image, layout.samples / layout.planes) {
        (DynamicImage::ImageLuma8(gray), 1) if whole => Ok(gray.into_raw()),
        (DynamicImage::ImageRgb8(rgb), 3) if whole => Ok(rgb.into_raw()),
        _ => Err(BROKEN.into()),
    }
}
