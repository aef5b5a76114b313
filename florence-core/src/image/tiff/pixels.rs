//! Samples to the pixels that Pillow's `convert("RGB")` makes of them.

use image::{DynamicImage, GrayImage, ImageBuffer, RgbImage};

use super::layout::{Kind, Layout, Place};
use super::{Ifd, Refusal};

/// The picture that blocks are put into.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    layout: &'a Layout,
    big_endian: bool,
    colors: Vec<[u8; 3]>,
    samples: Samples,
}

#[derive(Debug)]
enum Samples {
    Grey(Vec<u8>),
    /// More than 8 bits, which clip at 255 only when the picture is converted.
    Grey16(Vec<u16>),
    Rgb(Vec<u8>),
}

impl<'a> Picture<'a> {
    pub(super) fn new(layout: &'a Layout, ifd: &Ifd) -> Result<Self, Refusal> {
        let mut colors = Vec::new();
        if layout.kind == Kind::Palette {
            let stored = ifd.numbers(320);
            let count = stored.len() / 3;
            if count == 0 {
                return Err("a palette is missing (ColorMap)".into());
            }
            let level = |i: usize| (stored[i] >> 8) as u8;
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
                Kind::Grey { .. } if layout.bits > 8 => Samples::Grey16(vec![0; pixels]),
                Kind::Grey { .. } | Kind::SignedGrey | Kind::FloatGrey => {
                    Samples::Grey(vec![0; pixels])
                }
                _ => Samples::Rgb(vec![0; 3 * pixels]),
            },
        })
    }

    /// Puts a block; what hangs over the edges is left out.
    pub(super) fn put(&mut self, place: Place, block: &[u8]) {
        let layout = self.layout;
        let columns = layout.block_width.min(layout.width - place.x);
        let rows = place.rows.min(layout.height - place.y);
        let row_bytes = match layout.planes {
            1 => layout.row_bytes(),
            planes => layout.row_bytes() * planes,
        };
        let size = layout.samples * usize::from(layout.bits) / 8;
        for (y, row) in block.chunks_exact(row_bytes).take(rows).enumerate() {
            let start = (place.y + y) * layout.width + place.x;
            match &mut self.samples {
                Samples::Grey(out) => {
                    let out = &mut out[start..start + columns];
                    grey(layout, self.big_endian, row, out);
                }
                Samples::Grey16(out) => {
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
                        let indices = indices(row, layout.bits, layout.samples);
                        for (out, index) in out.iter_mut().zip(indices) {
                            *out = self.colors[usize::from(index)];
                        }
                        continue;
                    }
                    for (out, pixel) in out.iter_mut().zip(row.chunks_exact(size)) {
                        *out = color(layout, self.big_endian, pixel);
                    }
                }
            }
        }
    }

    pub(super) fn into_image(self) -> Result<DynamicImage, Refusal> {
        let (width, height) = (self.layout.width as u32, self.layout.height as u32);
        let image = match self.samples {
            Samples::Grey(grey) => {
                GrayImage::from_raw(width, height, grey).map(DynamicImage::ImageLuma8)
            }
            Samples::Rgb(rgb) => {
                RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8)
            }
            Samples::Grey16(grey) => {
                ImageBuffer::from_raw(width, height, grey).map(DynamicImage::ImageLuma16)
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

fn grey(layout: &Layout, big_endian: bool, row: &[u8], out: &mut [u8]) {
    let whole = |bytes: &[u8; 4]| {
        if big_endian {
            i32::from_be_bytes(*bytes)
        } else {
            i32::from_le_bytes(*bytes)
        }
    };
    match (layout.kind, layout.bits) {
        (Kind::SignedGrey, 16) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<2>().0) {
                let value = if big_endian {
                    i16::from_be_bytes(*bytes)
                } else {
                    i16::from_le_bytes(*bytes)
                };
                *out = value.clamp(0, 255) as u8;
            }
        }
        (Kind::SignedGrey, _) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                *out = whole(bytes).clamp(0, 255) as u8;
            }
        }
        (Kind::FloatGrey, _) => {
            for (out, bytes) in out.iter_mut().zip(row.as_chunks::<4>().0) {
                // Clips at 0 and 255, and cuts off what is behind the point.
                *out = f32::from_bits(whole(bytes) as u32) as u8;
            }
        }
        (kind, bits) => {
            let inverted = kind == Kind::Grey { inverted: true };
            let scale = u8::MAX / (u8::MAX >> (8 - bits));
            let flip = if inverted { u8::MAX } else { 0 };
            for (out, value) in out.iter_mut().zip(indices(row, bits, layout.samples)) {
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

/// Red, green and blue of a pixel of three samples and more.
fn color(layout: &Layout, big_endian: bool, pixel: &[u8]) -> [u8; 3] {
    // Of 16 bits, the upper byte counts.
    let sample = |i: usize| match (layout.bits, big_endian) {
        (16, true) => pixel[2 * i],
        (16, false) => pixel[2 * i + 1],
        _ => pixel[i],
    };
    let rgb = std::array::from_fn(sample);
    match layout.kind {
        Kind::Cmyk => {
            let rest = 255 - sample(3);
            rgb.map(|ink| rest - scaled(ink, rest))
        }
        Kind::Rgb {
            premultiplied: true,
        } => match sample(3) {
            0 => [0; 3],
            255 => rgb,
            alpha => rgb.map(|v| (u16::from(v) * 255 / u16::from(alpha)).min(255) as u8),
        },
        _ => rgb,
    }
}

/// `a · b / 255`, rounded.
fn scaled(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}
