//! Any pixel format to RGB, as Pillow's `convert("RGB")` does it.

use std::borrow::Cow;

use image::{DynamicImage, RgbImage};

/// Converts to 8-bit RGB exactly as the reference's `image.convert("RGB")`.
///
/// - Transparency is dropped, not blended: a hidden pixel shows its color.
/// - Gray is copied to the three channels.
/// - Color and gray-with-alpha of 16 bits lose their lower byte.
/// - **Gray of 16 bits without alpha is clipped at 255**, which turns most such
///   images white. That is what Pillow does and what the reference therefore
///   sees; scale them to 8 bits first (`image.to_luma8()`) if you want to see
///   what they show.
/// - Floating-point images, which the reference does not read, are scaled from
///   0–1 to 0–255 as the `image` crate does.
///
/// # Example: alpha is dropped, 16-bit gray is clipped
///
/// ```
/// use image::{DynamicImage, ImageBuffer, Luma, Rgba};
///
/// let hidden = DynamicImage::ImageRgba8(ImageBuffer::from_pixel(1, 1, Rgba([10, 20, 30, 0])));
/// let rgb = florence_core::image::to_rgb(&hidden);
/// assert_eq!(rgb.get_pixel(0, 0).0, [10, 20, 30]);
///
/// let gray = DynamicImage::ImageLuma16(ImageBuffer::from_pixel(1, 1, Luma([1000])));
/// let rgb = florence_core::image::to_rgb(&gray);
/// assert_eq!(rgb.get_pixel(0, 0).0, [255, 255, 255]);
/// ```
pub fn to_rgb(image: &DynamicImage) -> Cow<'_, RgbImage> {
    let high = |sample: u16| (sample >> 8) as u8;
    let clip = |sample: u16| sample.min(255) as u8;
    let (width, height) = (image.width(), image.height());
    let bytes: Vec<u8> = match image {
        DynamicImage::ImageRgb8(rgb) => return Cow::Borrowed(rgb),
        DynamicImage::ImageLuma8(gray) => gray.iter().flat_map(|v| [*v; 3]).collect(),
        DynamicImage::ImageLumaA8(gray) => gray.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        DynamicImage::ImageRgba8(rgba) => rgba
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        DynamicImage::ImageLuma16(gray) => gray.iter().flat_map(|v| [clip(*v); 3]).collect(),
        DynamicImage::ImageLumaA16(gray) => {
            gray.chunks_exact(2).flat_map(|p| [high(p[0]); 3]).collect()
        }
        DynamicImage::ImageRgb16(rgb) => rgb.iter().map(|v| high(*v)).collect(),
        DynamicImage::ImageRgba16(rgba) => rgba
            .chunks_exact(4)
            .flat_map(|p| [high(p[0]), high(p[1]), high(p[2])])
            .collect(),
        other => return Cow::Owned(other.to_rgb8()),
    };
    // The buffer has three bytes per pixel by construction.
    Cow::Owned(RgbImage::from_raw(width, height, bytes).unwrap_or_else(|| image.to_rgb8()))
}
