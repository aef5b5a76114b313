//! JPEG as Pillow's decoder reads it, to the bit.
//!
//! The standard leaves rounding to the decoder, and other decoders differ from
//! libjpeg-turbo by up to six levels where the colour is subsampled. What the
//! network was trained on, and what the reference shows it, is libjpeg-turbo's
//! rounding: the integer DCT of `jidctint.c`, the triangle filter of
//! `jdsample.c`, the colour conversion of `jdcolor.c`. They are written anew
//! here for what photos are made of: 8 bits, grey, YCbCr or RGB, sequential or
//! progressive, Huffman coded. For everything else [`decode`] gives `None`.

mod bits;
mod complete;
mod dct;
mod frame;
mod huffman;
mod scan;
mod upsample;

use image::{DynamicImage, GrayImage, RgbImage};
use rayon::prelude::*;

pub(super) use complete::check_complete;
use frame::Color;
use upsample::Plane;

/// Decodes a JPEG of `size` pixels that is one of the usual kinds and free of
/// errors.
pub(super) fn decode(bytes: &[u8], size: (u32, u32)) -> Option<DynamicImage> {
    let frame = frame::read(bytes, (size.0 as usize, size.1 as usize))?;
    let planes: Vec<Plane> = frame
        .components
        .iter()
        .map(|c| Plane::of(c, &frame))
        .collect();
    let (width, height) = (frame.width, frame.height);
    if frame.color == Color::Grey {
        let mut grey = vec![0; width * height];
        grey.par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(y, row)| row.copy_from_slice(&planes[0].row(y)[..width]));
        return GrayImage::from_raw(width as u32, height as u32, grey)
            .map(DynamicImage::ImageLuma8);
    }
    let [a, b, c] = planes.as_slice() else {
        return None;
    };
    let mut rgb = vec![0; width * height * 3];
    rgb.par_chunks_exact_mut(width * 3)
        .enumerate()
        .for_each(|(y, row)| {
            let (a, b, c) = (a.row(y), b.row(y), c.row(y));
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let samples = [a[x], b[x], c[x]];
                pixel.copy_from_slice(&if frame.color == Color::Rgb {
                    samples
                } else {
                    ycc_to_rgb(samples)
                });
            }
        });
    RgbImage::from_raw(width as u32, height as u32, rgb).map(DynamicImage::ImageRgb8)
}

/// The constants of JFIF with 16 bits behind the point; green's two parts are
/// added before they are rounded.
fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|v| v.clamp(0, 255) as u8)
}
