//! BMP as Pillow reads it.

mod header;
mod rle;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use self::header::{Header, Layout};
use super::decoded::{Decoded, Refusal};

/// Reads a BMP of at most `max_pixels`.
pub(super) fn read(bytes: &[u8], max_pixels: u64) -> Result<Decoded, Refusal> {
    let header = Header::read(bytes)?;
    Refusal::unless_fits(header.width.into(), header.height.into(), max_pixels)?;
    let (width, height) = (header.width as usize, header.height as usize);
    // Rows that cannot all be there are not allocated.
    let packed = match &header.layout {
        Layout::Runs { nibbles } => Some(rle::unpack(
            bytes,
            header.pixels,
            (width, height),
            *nibbles,
        )?),
        _ => None,
    };
    let (data, bits) = match &packed {
        Some(indices) => (indices.as_slice(), 8),
        None => (bytes.get(header.pixels..).unwrap_or_default(), header.bits),
    };
    let row = (width * bits).div_ceil(8);
    let stride = if packed.is_some() {
        width
    } else {
        row.next_multiple_of(4)
    };
    if data.len() < stride * (height - 1) + row {
        return Err("its pixels end early".into());
    }
    let mut rgb = vec![0; 3 * width * height];
    for (y, out) in rgb.chunks_exact_mut(3 * width).enumerate() {
        let stored = if header.top_down { y } else { height - 1 - y };
        let row = &data[stored * stride..][..row];
        let out = out.as_chunks_mut::<3>().0;
        match &header.layout {
            Layout::Indices | Layout::Runs { .. } => indexed(row, bits, &header.colors, out),
            Layout::Words { masks } => {
                for (out, word) in out.iter_mut().zip(row.as_chunks::<2>().0) {
                    *out = masks.map(|mask| field(u16::from_le_bytes(*word), mask));
                }
            }
            Layout::Bytes {
                size,
                red,
                green,
                blue,
            } => {
                for (out, pixel) in out.iter_mut().zip(row.chunks_exact(*size)) {
                    *out = [pixel[*red], pixel[*green], pixel[*blue]];
                }
            }
        }
    }
    let image = RgbImage::from_raw(header.width, header.height, rgb).ok_or("too large")?;
    Ok(Decoded {
        image: DynamicImage::ImageRgb8(image),
        orientation: Orientation::NoTransforms,
        damage: None,
    })
}

/// Indices of 1, 4 or 8 bits, the first in the upper bits.
fn indexed(row: &[u8], bits: usize, colors: &[[u8; 3]; 256], out: &mut [[u8; 3]]) {
    let in_byte = 8 / bits;
    for (byte, out) in row.iter().zip(out.chunks_mut(in_byte)) {
        for (i, out) in out.iter_mut().enumerate() {
            let index = (byte << (i * bits)) >> (8 - bits);
            *out = colors[usize::from(index)];
        }
    }
}

/// The bits of a mask, scaled to 0–255.
fn field(word: u16, mask: u16) -> u8 {
    let most = u32::from(mask >> mask.trailing_zeros());
    let value = u32::from((word & mask) >> mask.trailing_zeros());
    (value * 255 / most) as u8
}
