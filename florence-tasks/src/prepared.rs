//! Images prepared for the vision tower.

use std::fmt;
use std::time::{Duration, Instant};

use florence_core::candle::Tensor;
use florence_core::image::{ImageNote, prepare};
use florence_core::{Florence2, InputSize};
use florence_postprocess::Size;
use image::RgbImage;

use crate::error::Result;

/// An image resized and normalized for the vision tower, however large it was.
///
/// Made by [`Florence::prepare`](crate::Florence::prepare), on any thread: images can be read and
/// prepared while the model is busy with others. Clones are cheap.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let prepared = florence.prepare(&img)?;
/// drop(img);
/// assert!(!florence.run(Caption, &prepared)?.value.text.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreparedImage {
    /// `(1, 3, height, width)`
    pub(crate) pixels: Tensor,
    pub(crate) size: Size,
    pub(crate) notes: Vec<ImageNote>,
    pub(crate) preprocess: Duration,
}

impl PreparedImage {
    pub(crate) fn new(model: &Florence2, rgb: &RgbImage, notes: &[ImageNote]) -> Result<Self> {
        let start = Instant::now();
        let config = model.config();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        config.check_image(InputSize { width, height })?;
        Ok(Self {
            pixels: prepare(&[rgb], &config.image)?,
            size: Size::from(rgb.dimensions()),
            notes: notes.to_vec(),
            preprocess: start.elapsed(),
        })
    }

    /// The size of the original image in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Size};
    ///
    /// let prepared = Florence::nano()?.prepare(&image::open("tests/data/scene.png")?)?;
    /// assert_eq!(prepared.size(), Size::new(390, 309));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn size(&self) -> Size {
        self.size
    }
}

impl fmt::Debug for PreparedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedImage")
            .field("size", &self.size)
            .field("pixels", &self.pixels.dims())
            .finish_non_exhaustive()
    }
}
