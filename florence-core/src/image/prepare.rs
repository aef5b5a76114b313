//! From RGB pixels to the network's input.

use candle_core::{Device, Tensor};
use image::RgbImage;
use rayon::prelude::*;

use super::resize::{self, Source};
use crate::{Error, ImagePreparation, InputSize, Result};

/// Resizes with Pillow's bicubic filter, byte for byte as
/// `image.resize((width, height), Image.BICUBIC)`.
///
/// # Errors
///
/// [`Error::Image`] for an image without pixels or with a side of more than
/// 1,048,576 pixels, [`Error::Argument`] for a size whose sides are not 1 to
/// [`ImagePreparation::MAX_SIDE`].
///
/// # Example
///
/// ```
/// use florence_core::InputSize;
///
/// let image = image::RgbImage::from_fn(3, 1, |x, _| image::Rgb([x as u8 * 100, 0, 0]));
/// let resized = florence_core::image::resize(&image, InputSize::square(6))?;
/// let red: Vec<u8> = resized.rows().next().unwrap().map(|p| p.0[0]).collect();
/// // Image.fromarray(…).resize((6, 6), Image.BICUBIC)
/// assert_eq!(red, [0, 17, 71, 129, 183, 209]);
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn resize(image: &RgbImage, size: InputSize) -> Result<RgbImage> {
    if !size.is_plausible() {
        let expected = format!("sides of 1 to {} pixels", ImagePreparation::MAX_SIDE);
        return Err(Error::argument("size", size, expected));
    }
    let InputSize { width, height } = size;
    let bytes = resize::bicubic(source(image), width, height)?;
    RgbImage::from_raw(width as u32, height as u32, bytes).ok_or_else(|| Error::Image {
        path: None,
        reason: format!("cannot be resized to {size} pixels"),
    })
}

fn source(image: &RgbImage) -> Source<'_> {
    Source {
        bytes: image.as_raw(),
        width: image.width() as usize,
        height: image.height() as usize,
    }
}

/// Prepares images for the network: resized, scaled and normalized.
///
/// Returns `(batch, 3, height, width)` in f32 on the CPU: red, green and blue planes. A sample is
/// `((byte · rescale) − mean) / std`: the product is taken in f64 and rounded to f32, the rest is
/// f32, as in the reference's image processor, so the samples are the same to the bit.
///
/// # Errors
///
/// As [`resize`]; [`Error::Argument`] for an empty batch, for images of different sizes that are
/// not resized, and for a preparation with numbers that are not finite or a zero in `std`.
///
/// # Example: one black image
///
/// ```
/// use florence_core::{image::prepare, ImagePreparation};
///
/// let black = image::RgbImage::new(640, 480);
/// let pixels = prepare(&[&black], &ImagePreparation::default())?;
/// assert_eq!(pixels.dims(), [1, 3, 768, 768]);
/// let red: f32 = pixels.get(0)?.get(0)?.get(0)?.get(0)?.to_scalar()?;
/// assert_eq!(red, -0.485 / 0.229);
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn prepare(images: &[&RgbImage], preparation: &ImagePreparation) -> Result<Tensor> {
    preparation.check()?;
    let sizes = images.iter().map(|image| {
        let (width, height) = (image.width() as usize, image.height() as usize);
        preparation.input_size(InputSize { width, height })
    });
    let size = one_size(sizes)?;
    let InputSize { width, height } = size;
    let tables = tables(preparation);
    let plane = width * height;
    let mut samples = vec![0f32; images.len() * 3 * plane];
    for (image, out) in images.iter().zip(samples.chunks_exact_mut(3 * plane)) {
        let bytes = resize::bicubic(source(image), width, height)?;
        out.par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(row, out)| {
                let (channel, y) = (row / height, row % height);
                let pixels = bytes[y * width * 3..(y + 1) * width * 3].chunks_exact(3);
                for (sample, pixel) in out.iter_mut().zip(pixels) {
                    *sample = tables[channel][usize::from(pixel[channel])];
                }
            });
    }
    Ok(Tensor::from_vec(
        samples,
        (images.len(), 3, height, width),
        &Device::Cpu,
    )?)
}

/// The size of all images of a batch.
fn one_size(mut sizes: impl Iterator<Item = InputSize>) -> Result<InputSize> {
    let Some(size) = sizes.next() else {
        return Err(Error::argument("images", "empty", "at least one image"));
    };
    let (found, expected) = match sizes.find(|other| *other != size) {
        Some(other) => (
            format!("of {size} and {other} pixels"),
            "images of one size, as they are not resized".to_owned(),
        ),
        None if !size.is_plausible() => (
            format!("of {size} pixels"),
            format!("sides of 1 to {} pixels", ImagePreparation::MAX_SIDE),
        ),
        None => return Ok(size),
    };
    Err(Error::argument("images", found, expected))
}

/// The sample of each byte, for each channel.
fn tables(preparation: &ImagePreparation) -> [[f32; 256]; 3] {
    std::array::from_fn(|channel| {
        let mean = preparation.mean[channel] as f32;
        let std = preparation.std[channel] as f32;
        std::array::from_fn(|byte| {
            let scaled = (byte as f64 * preparation.rescale) as f32;
            (scaled - mean) / std
        })
    })
}
