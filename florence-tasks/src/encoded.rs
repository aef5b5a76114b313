//! Images that were seen once and can be asked many times.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use florence_core::GenerationConfig;
use florence_core::candle::Tensor;
use florence_core::image::{prepare, to_rgb};
use florence_postprocess::Size;
use image::{DynamicImage, RgbImage};

use crate::ask::Ask;
use crate::error::{Error, Result};
use crate::florence::Florence;
use crate::output::{Output, Timings};

/// An image after the vision tower, which is most of the work of a short answer: see once, ask
/// many. Clones are cheap and share the image; it can be sent to and asked from any thread.
///
/// # Example: a cascade
///
/// ```
/// use florence_tasks::{Caption, Florence, PhraseGrounding};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let photo = florence.encode(&img)?;
/// let caption = photo.run(Caption)?;
/// # if caption.text.is_empty() { return Ok(()) }
/// for phrase in photo.run(PhraseGrounding(&caption.text))? {
///     println!("{}: {} boxes", phrase.phrase, phrase.regions.len());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EncodedImage {
    florence: Florence,
    seen: Arc<Seen>,
}

struct Seen {
    /// `(1, visual_tokens, dim)`
    features: Tensor,
    size: Size,
    timings: Timings,
}

impl EncodedImage {
    /// Asks about the image, with the options of the [`Florence`] that encoded it.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// println!("{}", photo.run(Caption)?.text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<A: Ask>(&self, question: A) -> Result<Output<A::Output>> {
        self.florence.run(question, self)
    }

    /// Asks about the image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence, GenerationConfig};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = GenerationConfig { num_beams: 1, ..florence.generation().clone() };
    /// println!("{}", photo.run_with(Caption, &greedy)?.text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_with<A: Ask>(
        &self,
        question: A,
        options: &GenerationConfig,
    ) -> Result<Output<A::Output>> {
        self.florence.run_with(question, self, options)
    }

    /// Asks several questions about the image at once.
    ///
    /// # Errors
    ///
    /// As [`Florence::run_batch`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// for answer in photo.run_batch([Task::Caption, Task::Od, Task::Ocr])? {
    ///     println!("{} {:?}", answer.task, answer.value);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch<A: Ask>(
        &self,
        questions: impl IntoIterator<Item = A>,
    ) -> Result<Vec<Output<A::Output>>> {
        self.florence
            .run_batch(questions.into_iter().map(|question| (question, self)))
    }

    /// The size of the original image in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Size};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// assert_eq!(photo.size(), Size::new(390, 309));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn size(&self) -> Size {
        self.seen.size
    }

    /// What the vision tower gave: `(1, visual_tokens, dim)`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// assert_eq!(photo.features().dims()[0], 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn features(&self) -> &Tensor {
        &self.seen.features
    }

    /// The time of preparation and vision.
    pub(crate) fn timings(&self) -> Timings {
        self.seen.timings
    }

    /// Runs the vision tower.
    pub(crate) fn see(florence: &Florence, rgb: &RgbImage) -> Result<Self> {
        let start = Instant::now();
        let pixels = prepare(&[rgb], &florence.model().config().image)?;
        let preprocess = start.elapsed();
        let start = Instant::now();
        let features = florence.model().encode_pixels(&pixels)?;
        let vision = start.elapsed();
        let timings = Timings {
            preprocess,
            vision,
            ..Timings::default()
        };
        let size = Size::from(rgb.dimensions());
        Ok(Self {
            florence: florence.clone(),
            seen: Arc::new(Seen {
                features,
                size,
                timings,
            }),
        })
    }
}

impl fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedImage")
            .field("size", &self.seen.size)
            .field("features", &self.seen.features.dims())
            .finish_non_exhaustive()
    }
}

/// What can be asked about: a [`DynamicImage`] or [`RgbImage`], or an [`EncodedImage`].
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
    /// The image after the vision tower of `florence`.
    ///
    /// # Errors
    ///
    /// As [`Florence::encode`].
    #[doc(hidden)]
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage>;
}

impl ImageSource for DynamicImage {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        EncodedImage::see(florence, &to_rgb(self))
    }
}

impl ImageSource for RgbImage {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        EncodedImage::see(florence, self)
    }
}

impl ImageSource for EncodedImage {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        if self.florence.shares_model_with(florence) {
            Ok(self.clone())
        } else {
            Err(Error::ForeignImage)
        }
    }
}

impl<I: ImageSource + ?Sized> ImageSource for &I {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        (**self).encoded(florence)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for image::DynamicImage {}
    impl Sealed for image::RgbImage {}
    impl Sealed for super::EncodedImage {}
    impl<I: Sealed + ?Sized> Sealed for &I {}
}
