//! Pixels from upsampled components.

use rayon::prelude::*;

use crate::color::{self, ColorModel};
use crate::decoded::PixelLayout;
use crate::frame::Frame;
use crate::upsample::Plane;

/// The samples of four components, side by side as they are stored.
pub(crate) fn inks(frame: &Frame, model: ColorModel, planes: &[Plane]) -> (PixelLayout, Vec<u8>) {
    let layout = match model {
        ColorModel::Ycck => PixelLayout::Ycck8,
        _ => PixelLayout::Cmyk8,
    };
    let mut samples = vec![0; frame.width * frame.height * 4];
    samples
        .par_chunks_exact_mut(frame.width * 4)
        .enumerate()
        .for_each(|(y, row)| {
            for (component, plane) in planes.iter().enumerate() {
                let pixels = row.as_chunks_mut::<4>().0.iter_mut();
                for (pixel, sample) in pixels.zip(&*plane.row(y)) {
                    pixel[component] = *sample;
                }
            }
        });
    (layout, samples)
}

/// Gray or RGB pixels.
pub(crate) fn pixels(frame: &Frame, model: ColorModel, planes: &[Plane]) -> (PixelLayout, Vec<u8>) {
    let (width, height) = (frame.width, frame.height);
    if let [gray] = planes {
        let mut samples = vec![0; width * height];
        samples
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(y, row)| row.copy_from_slice(&gray.row(y)[..width]));
        return (PixelLayout::Gray8, samples);
    }
    let mut rgb = vec![0; width * height * 3];
    rgb.par_chunks_exact_mut(width * 3)
        .enumerate()
        .for_each(|(y, row)| {
            let rows: Vec<_> = planes.iter().map(|plane| plane.row(y)).collect();
            let pixels = row.as_chunks_mut::<3>().0.iter_mut().enumerate();
            match rows.as_slice() {
                [a, b, c] if model == ColorModel::Rgb => {
                    pixels.for_each(|(x, pixel)| *pixel = [a[x], b[x], c[x]]);
                }
                [a, b, c] => {
                    pixels.for_each(|(x, pixel)| *pixel = color::ycc_to_rgb([a[x], b[x], c[x]]));
                }
                [a, b, c, black] if model == ColorModel::Cmyk => pixels.for_each(|(x, pixel)| {
                    *pixel = color::inks_to_rgb([a[x], b[x], c[x]], black[x]);
                }),
                [a, b, c, black] => pixels.for_each(|(x, pixel)| {
                    *pixel = color::ycck_to_rgb([a[x], b[x], c[x]], black[x]);
                }),
                _ => {}
            }
        });
    (PixelLayout::Rgb8, rgb)
}
