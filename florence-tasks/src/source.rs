//! Images to ask about.

use florence_core::Florence2;
use florence_core::image::{ImageFile, to_rgb};
use image::{DynamicImage, RgbImage};

use crate::encoded::EncodedImage;
use crate::error::{Error, Result};
use crate::prepared::PreparedImage;

/// An image to ask about: a [`DynamicImage`] or [`RgbImage`], an [`ImageFile`], a
/// [`PreparedImage`], or an [`EncodedImage`].
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?.to_rgb8();
/// let photo = florence.encode(&img)?;
/// assert_eq!(florence.run(Caption, &img)?.value, florence.run(Caption, &photo)?.value);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ImageSource: sealed::Sealed {
    /// The image, prepared or encoded, without running the vision tower.
    ///
    /// # Errors
    ///
    /// As [`Florence::encode`](crate::Florence::encode).
    #[doc(hidden)]
    fn input(&self, model: &Florence2) -> Result<Input>;
}

/// An image before or after the vision tower.
#[doc(hidden)]
#[derive(Debug)]
pub enum Input {
    Prepared(PreparedImage),
    Encoded(EncodedImage),
}

impl ImageSource for DynamicImage {
    fn input(&self, model: &Florence2) -> Result<Input> {
        PreparedImage::new(model, &to_rgb(self), &[]).map(Input::Prepared)
    }
}

impl ImageSource for RgbImage {
    fn input(&self, model: &Florence2) -> Result<Input> {
        PreparedImage::new(model, self, &[]).map(Input::Prepared)
    }
}

impl ImageSource for ImageFile {
    fn input(&self, model: &Florence2) -> Result<Input> {
        PreparedImage::new(model, &to_rgb(&self.image), &self.notes).map(Input::Prepared)
    }
}

impl ImageSource for PreparedImage {
    fn input(&self, _model: &Florence2) -> Result<Input> {
        Ok(Input::Prepared(self.clone()))
    }
}

impl ImageSource for EncodedImage {
    fn input(&self, model: &Florence2) -> Result<Input> {
        if self.model().is_same(model) {
            Ok(Input::Encoded(self.clone()))
        } else {
            Err(Error::ModelMismatch)
        }
    }
}

impl<I: ImageSource + ?Sized> ImageSource for &I {
    fn input(&self, model: &Florence2) -> Result<Input> {
        (**self).input(model)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for image::DynamicImage {}
    impl Sealed for image::RgbImage {}
    impl Sealed for florence_core::image::ImageFile {}
    impl Sealed for crate::encoded::EncodedImage {}
    impl Sealed for crate::prepared::PreparedImage {}
    impl<I: Sealed + ?Sized> Sealed for &I {}
}
