//! Conversion of samples to the pixels that Pillow's `convert("RGB")` makes of them.

use image::{DynamicImage, GrayImage, ImageBuffer, RgbImage};

use super::layout::{Kind, Layout, Place};
use super::{Ifd, Refusal};

/// The picture that blocks are written to.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    layout: &'a Layout<'a>,
    big_endian: bool,
    colors: Vec<[u8; 3]>,
    samples: Samples,
}

#[derive(Debug)]
enum Samples {
    Gray(Vec<u8>),
    /// More than 8 bits, which clip at 255 only when the picture is converted.
    Gray16(Vec<u16>),
    Rgb(Vec<u8>),
}

impl<'a> Picture<'a> {
    pub(super) fn new(layout: &'a Layout<'a>, ifd: &Ifd) -> Result<Self, Refusal> {
        let mut colors = Vec::new();
        if layout.kind == Kind::Palette {
            let stored = ifd.numbers(320);
            let count = stored.len() / 3;
            if count == 0 {
                return Err("a palette is missing (ColorMap)".into());
            }
            let level = |i: usize| (stored.get(i).unwrap_or(0) >> 8) as u8;
            colors = vec![[0; 3]; 256];
            for (i, color) in colors.iter_mut().enumerate().take(count) {
                *color = [level(i), level(count + i), level(2 * count + i)];
            }
        }
        let pixels = layout.width * layout.height;
        Ok(Picture {
            layout,
            big_endian: ifd.big_endian,
            colors,
            samples: match layout.kind {
                Kind::Gray { .. } if layout.bits > 8 => Samples::Gray16(vec![0; pixels]),
                Kind::Gray { .. } | Kind::SignedGray | Kind::FloatGray => {
                    Samples::Gray(vec![0; pixels])
                }
                _ => Samples::Rgb(vec![0; 3 * pixels]),
            },
        })
    }

    /// Writes a block of a plane, the planes in their order; what extends beyond the edges is
    /// dropped.
    pub(super) fn put(&mut self, place: Place, plane: usize, block: &[u8]) {
        let layout = self.layout;
        let columns = layout.block_width.min(layout.width - place.x);
        let rows = place.rows.min(layout.height - place.y);
        let side_by_side = layout.samples / layout.planes;
        let size = side_by_side * usize::from(layout.bits) / 8;
        for (y, row) in block
            .chunks_exact(layout.row_bytes())
            .take(rows)
            .enumerate()
        {
            let start = (place.y + y) * layout.width + place.x;
            match &mut self.samples {
                // The sample after gray or an index is its alpha.
                Samples::Gray(_) if plane > 0 => {}
                Samples::Gray(out) => {
                    let out = &mut out[start..start + columns];
                    gray(layout, self.big_endian, row, out);
                }
                Samples::Gray16(out) => {
                    let out = &mut out[start..start + columns];
                    if layout.bits == 12 {
                        twelve(row, out);
                    } else {
                        for (out, sample) in out.iter_mut().zip(row.as_chunks::<2>().0) {
                            *out = if self.big_endian {
                                u16::from_be_bytes(*sample)
                            } else {
                                u16::from_le_bytes(*sample)
                            };
                        }
                    }
                }
                Samples::Rgb(out) => {
                    let out = &mut out[3 * start..3 * (start + columns)];
                    let out = out.as_chunks_mut::<3>().0;
                    if layout.kind == Kind::Palette {
                        if plane > 0 {
                            continue;
                        }
                        let indices = indices(row, layout.bits, side_by_side);
                        for (out, index) in out.iter_mut().zip(indices) {
                            *out = self.colors[usize::from(index)];
                        }
                        continue;
                    }
                    for (out, pixel) in out.iter_mut().zip(row.chunks_exact(size)) {
                        let sample = |i: usize| sample(layout.bits, self.big_endian, pixel, i);
                        match plane {
                            0 if side_by_side > 1 => {
                                *out = std::array::from_fn(sample);
                                if side_by_side > 3 {
                                    *out = with_fourth(layout.kind, *out, sample(3));
                                }
                            }
                            0..3 => out[plane] = sample(0),
                            3 => *out = with_fourth(layout.kind, *out, sample(0)),
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    pub(super) fn into_image(self) -> Result<DynamicImage, Refusal> {
        let (width, height) = (self.layout.width as u32, self.layout.height as u32);
        let image = match self.samples {
            Samples::Gray(gray) => {
                GrayImage::from_raw(width, height, gray).map(DynamicImage::ImageLuma8)
            }
            Samples::Rgb(rgb) => {
                RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8)
            }
            Samples::Gray16(gray) => {
                ImageBuffer::from_raw(width, height, gray).map(DynamicImage::ImageLuma16)
            }
        };
        Ok(image.ok_or("too large")?)
    }
}

/// Values of 1, 2, 4 or 8 bits, the first of every `samples`.
fn indices(row: &[u8], bits: u16, samples: usize) -> impl Iterator<Item = u8> + '_ {
    let in_byte = 8 / bits;
    let values = row
        .iter()
        .flat_map(move |byte| (0..in_byte).map(move |i| (byte << (i * bits)) >> (8 - bits)));
    values.step_by(samples)
}

fn gray(layout: &Layout, big_endian: bool, row: &[u8], out: &mut [u8]) {
    let whole = |bytes: &[u8; 4]| {
        if big_endian {
            i32::from_be_bytes(*bytes)
        } else {
            i32::from_le_bytes(*bytes)
        }
    };
    match (layout.kind, layout.bits) {
        (Kind::SignedGray, 16) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<2>().0) {
                let value = if big_endian {
                    i16::from_be_bytes(*bytes)
                } else {
                    i16::from_le_bytes(*bytes)
                };
                *out = value.clamp(0, 255) as u8;
            }
        }
        (Kind::SignedGray, _) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                *out = whole(bytes).clamp(0, 255) as u8;
            }
        }
        (Kind::FloatGray, _) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                // Clips at 0 and 255, and truncates.
                *out = f32::from_bits(whole(bytes) as u32) as u8;
            }
        }
        (kind, bits) => {
            let inverted = kind == Kind::Gray { inverted: true };
            let scale = u8::MAX / (u8::MAX >> (8 - bits));
            let flip = if inverted { u8::MAX } else { 0 };
            for (out, value) in
                out.iter_mut()
                    .zip(indices(row, bits, layout.samples / layout.planes))
            {
                *out = (value * scale) ^ flip;
            }
        }
    }
}

/// Two samples of 12 bits in three bytes.
fn twelve(row: &[u8], out: &mut [u16]) {
    let at = |i: usize| u16::from(row.get(i).copied().unwrap_or(0));
    for (i, out) in out.iter_mut().enumerate() {
        let start = i / 2 * 3;
        *out = if i % 2 == 0 {
            at(start) << 4 | at(start + 1) >> 4
        } else {
            (at(start + 1) & 15) << 8 | at(start + 2)
        };
    }
}

/// The sample `i` of a pixel; of 16 bits, the upper byte counts.
fn sample(bits: u16, big_endian: bool, pixel: &[u8], i: usize) -> u8 {
    match (bits, big_endian) {
        (16, true) => pixel[2 * i],
        (16, false) => pixel[2 * i + 1],
        _ => pixel[i],
    }
}

/// Red, green and blue of three samples and a fourth.
fn with_fourth(kind: Kind, three: [u8; 3], fourth: u8) -> [u8; 3] {
    match kind {
        Kind::Cmyk => {
            let rest = 255 - fourth;
            three.map(|ink| rest - scaled(ink, rest))
        }
        Kind::Rgb {
            premultiplied: true,
        } => match fourth {
            0 => [0; 3],
            255 => three,
            alpha => three.map(|v| (u16::from(v) * 255 / u16::from(alpha)).min(255) as u8),
        },
        _ => three,
    }
}

/// `a · b / 255`, rounded.
fn scaled(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}
