//! Images that were seen once and can be asked many times.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use florence_core::GenerationConfig;
use florence_core::candle::Tensor;
use florence_core::image::{ImageFile, ImageNote, prepare, to_rgb};
use florence_postprocess::Size;
use image::{DynamicImage, RgbImage};

use crate::ask::Ask;
use crate::cascade::{Cascade, Cascaded, Steps};
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
    notes: Vec<ImageNote>,
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

    /// Asks several questions about the image at once, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::run_batch`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, GenerationConfig, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = GenerationConfig { num_beams: 1, ..florence.generation().clone() };
    /// assert_eq!(photo.run_batch_with([Task::Caption, Task::Od], &greedy)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch_with<A: Ask>(
        &self,
        questions: impl IntoIterator<Item = A>,
        options: &GenerationConfig,
    ) -> Result<Vec<Output<A::Output>>> {
        let questions = questions.into_iter().map(|question| (question, self));
        self.florence.run_batch_with(questions, options)
    }

    /// Runs a series of questions about the image.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionAndGround, DetectAndDescribe, Florence};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// println!("{}", photo.cascade(CaptionAndGround::default())?.caption.text);
    /// println!("{} things", photo.cascade(DetectAndDescribe)?.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade<C: Cascade>(&self, cascade: C) -> Result<Cascaded<C::Output>> {
        self.florence.cascade(cascade, self)
    }

    /// Runs a series of questions about the image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndDescribe, Florence, GenerationConfig};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = GenerationConfig { num_beams: 1, ..florence.generation().clone() };
    /// println!("{} things", photo.cascade_with(DetectAndDescribe, &greedy)?.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade_with<C: Cascade>(
        &self,
        cascade: C,
        options: &GenerationConfig,
    ) -> Result<Cascaded<C::Output>> {
        self.florence.cascade_with(cascade, self, options)
    }

    /// Runs a series of questions about the image as long as it is wanted: `go_on` is asked before
    /// every step that takes the model's time. For services, whose clients may leave in between.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where `go_on` says no, and as [`Florence::cascade`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use florence_tasks::{DetectAndDescribe, Error, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let within = |time| {
    ///     let deadline = Instant::now() + time;
    ///     photo.cascade_while(DetectAndDescribe, florence.generation(), &|| Instant::now() < deadline)
    /// };
    /// assert!(within(Duration::from_secs(600)).is_ok());
    /// assert!(matches!(within(Duration::ZERO), Err(Error::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade_while<C: Cascade>(
        &self,
        cascade: C,
        options: &GenerationConfig,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Cascaded<C::Output>> {
        let mut steps = Steps::new(self, options, go_on);
        let value = cascade.run(&mut steps)?;
        Ok(steps.end(value))
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

    /// What there is to say about the file of the image; empty where it did not come from an
    /// [`ImageFile`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// assert!(photo.notes().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn notes(&self) -> &[ImageNote] {
        &self.seen.notes
    }

    pub(crate) fn florence(&self) -> &Florence {
        &self.florence
    }

    /// The time of preparation and vision.
    pub(crate) fn timings(&self) -> Timings {
        self.seen.timings
    }

    /// Runs the vision tower.
    pub(crate) fn see(florence: &Florence, image: &PreparedImage) -> Result<Self> {
        let start = Instant::now();
        let features = florence.model().encode_pixels(&image.pixels)?;
        let timings = Timings {
            preprocess: image.preprocess,
            vision: start.elapsed(),
            ..Timings::default()
        };
        Ok(Self {
            florence: florence.clone(),
            seen: Arc::new(Seen {
                features,
                size: image.size,
                notes: image.notes.clone(),
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

/// An image brought to the size and the numbers that the vision tower takes, however large it was.
///
/// Made by [`Florence::prepare`], on any thread: images can be read and prepared while the model
/// is busy with others. Clones are cheap.
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
/// println!("{}", florence.run(Caption, &prepared)?.text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreparedImage {
    /// `(1, 3, side, side)`
    pixels: Tensor,
    size: Size,
    notes: Vec<ImageNote>,
    preprocess: Duration,
}

impl PreparedImage {
    pub(crate) fn new(florence: &Florence, rgb: &RgbImage, notes: &[ImageNote]) -> Result<Self> {
        let start = Instant::now();
        Ok(Self {
            pixels: prepare(&[rgb], &florence.model().config().image)?,
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

/// What can be asked about: a [`DynamicImage`] or [`RgbImage`], an [`ImageFile`], a
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
        EncodedImage::see(florence, &PreparedImage::new(florence, &to_rgb(self), &[])?)
    }
}

impl ImageSource for RgbImage {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        EncodedImage::see(florence, &PreparedImage::new(florence, self, &[])?)
    }
}

impl ImageSource for ImageFile {
    fn encoded(&self, florence: &Florence) -> Result<EncodedImage> {
        EncodedImage::see(florence, &florence.prepare_file(self)?)
    }
}

impl ImageSource for PreparedImage {
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
    impl Sealed for florence_core::image::ImageFile {}
    impl Sealed for super::EncodedImage {}
    impl Sealed for super::PreparedImage {}
    impl<I: Sealed + ?Sized> Sealed for &I {}
}
