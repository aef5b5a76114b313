//! The picture that rows are written to.

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, RgbImage, RgbaImage};

use super::header::{Layout, Mode};
use super::lines::Place;

/// A picture, whose samples are initially 0.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) layout: Layout,
    samples: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(layout: Layout) -> Result<Self, String> {
        let pixels = (layout.width as usize).checked_mul(layout.height as usize);
        let bytes = pixels
            .and_then(|pixels| pixels.checked_mul(channels(layout.mode)))
            .ok_or("too large")?;
        Ok(Canvas {
            layout,
            samples: vec![0; bytes],
        })
    }

    /// Writes a row of the region that the stream fills.
    pub(super) fn put(&mut self, place: &Place, row: &[u8]) {
        let size = channels(self.layout.mode);
        let region = self.layout.region;
        let start = (region.y + place.y) * self.layout.width as usize + region.x + place.x;
        let out = &mut self.samples[start * size..];
        let places = out
            .chunks_mut(place.step * size)
            .map(|chunk| &mut chunk[..size])
            .take(place.pixels);
        match self.layout.mode {
            Mode::Gray(8) | Mode::Palette(8) if place.step == 1 => {
                out[..place.pixels].copy_from_slice(row)
            }
            Mode::Rgb8 | Mode::Rgba8 | Mode::GrayAlpha8 if place.step == 1 => {
                out[..place.pixels * size].copy_from_slice(row);
            }
            Mode::Gray(bits) => {
                // 255 is the brightest of every depth.
                let scale = u8::MAX / (u8::MAX >> (8 - bits));
                for (out, value) in places.zip(packed(row, bits)) {
                    out[0] = value * scale;
                }
            }
            Mode::Palette(bits) => {
                for (out, value) in places.zip(packed(row, bits)) {
                    out[0] = value;
                }
            }
            Mode::Gray16 => {
                for (out, sample) in places.zip(row.as_chunks::<2>().0) {
                    out.copy_from_slice(&u16::from_be_bytes(*sample).to_ne_bytes());
                }
            }
            Mode::Rgb8 | Mode::Rgba8 | Mode::GrayAlpha8 => {
                for (out, pixel) in places.zip(row.chunks_exact(size)) {
                    out.copy_from_slice(pixel);
                }
            }
            // Pillow keeps the upper bytes.
            Mode::Rgb16 | Mode::Rgba16 | Mode::GrayAlpha16 => {
                for (out, pixel) in places.zip(row.chunks_exact(2 * size)) {
                    for (out, sample) in out.iter_mut().zip(pixel.as_chunks::<2>().0) {
                        *out = sample[0];
                    }
                }
            }
        }
    }

    pub(super) fn into_image(self) -> Option<DynamicImage> {
        let (width, height, samples) = (self.layout.width, self.layout.height, self.samples);
        Some(match self.layout.mode {
            Mode::Gray(_) => GrayImage::from_raw(width, height, samples)?.into(),
            Mode::Gray16 => {
                let pairs = samples.as_chunks::<2>().0;
                let samples = pairs.iter().map(|b| u16::from_ne_bytes(*b)).collect();
                DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, height, samples)?)
            }
            Mode::Palette(_) => {
                let mut colors = [[0; 3]; 256];
                for (color, stored) in colors.iter_mut().zip(self.layout.palette.chunks_exact(3)) {
                    color.copy_from_slice(stored);
                }
                let mut rgb = Vec::with_capacity(3 * samples.len());
                rgb.extend(samples.iter().flat_map(|index| colors[usize::from(*index)]));
                RgbImage::from_raw(width, height, rgb)?.into()
            }
            Mode::Rgb8 | Mode::Rgb16 => RgbImage::from_raw(width, height, samples)?.into(),
            Mode::GrayAlpha8 | Mode::GrayAlpha16 => {
                GrayAlphaImage::from_raw(width, height, samples)?.into()
            }
            Mode::Rgba8 | Mode::Rgba16 => RgbaImage::from_raw(width, height, samples)?.into(),
        })
    }
}

/// Bytes per pixel of the picture.
fn channels(mode: Mode) -> usize {
    match mode {
        Mode::Gray(_) | Mode::Palette(_) => 1,
        Mode::Gray16 | Mode::GrayAlpha8 | Mode::GrayAlpha16 => 2,
        Mode::Rgb8 | Mode::Rgb16 => 3,
        Mode::Rgba8 | Mode::Rgba16 => 4,
    }
}

/// Values of 1, 2, 4 or 8 bits, the first in the upper bits.
fn packed(row: &[u8], bits: u8) -> impl Iterator<Item = u8> + '_ {
    let in_byte = 8 / bits;
    row.iter()
        .flat_map(move |byte| (0..in_byte).map(move |i| (byte << (i * bits)) >> (8 - bits)))
}
