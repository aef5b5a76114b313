//! The image types that can be drawn on.

use std::borrow::Cow;

use image::{DynamicImage, RgbImage};

/// An image to draw on: [`RgbImage`] as it is, [`DynamicImage`] as RGB with 8 bits per channel.
/// Sealed.
///
/// # Example
///
/// ```
/// use florence_draw::{Mark, Style, annotate};
/// use florence_postprocess::BBox;
/// use image::DynamicImage;
///
/// let photo = DynamicImage::new_rgb8(640, 480);
/// let mark = Mark::new(BBox::new(100.0, 100.0, 300.0, 200.0));
/// let drawn = annotate(&photo, &mark, &Style::default());
/// assert_eq!(drawn, annotate(&photo.to_rgb8(), &mark, &Style::default()));
/// ```
pub trait Photo: sealed::Rgb {}

impl Photo for RgbImage {}
impl Photo for DynamicImage {}
impl<P: Photo + ?Sized> Photo for &P {}

pub(crate) mod sealed {
    use super::{Cow, DynamicImage, RgbImage};

    pub trait Rgb {
        /// The pixels, borrowed where they are RGB with 8 bits already.
        fn rgb(&self) -> Cow<'_, RgbImage>;
    }

    impl Rgb for RgbImage {
        fn rgb(&self) -> Cow<'_, RgbImage> {
            Cow::Borrowed(self)
        }
    }

    impl Rgb for DynamicImage {
        fn rgb(&self) -> Cow<'_, RgbImage> {
            match self {
                DynamicImage::ImageRgb8(image) => Cow::Borrowed(image),
                other => Cow::Owned(other.to_rgb8()),
            }
        }
    }

    impl<P: Rgb + ?Sized> Rgb for &P {
        fn rgb(&self) -> Cow<'_, RgbImage> {
            (**self).rgb()
        }
    }
}
