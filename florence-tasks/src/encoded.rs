//! Encoded images: encode once, ask many questions.

use std::fmt;
use std::sync::Arc;

use florence_core::image::ImageNote;
use florence_core::{Florence2, GenerationConfig, ImageFeatures};
use florence_postprocess::Size;

use crate::answer::{ask, ask_each};
use crate::ask::Ask;
use crate::cascade::{Cascade, Cascaded, Steps};
use crate::error::Result;
use crate::features::Encoded;
use crate::output::{Output, Timings};

/// An image after the vision tower, which is most of the work of a short answer: encode once, ask
/// many questions. Clones are cheap and share the image; it can be sent to and used from any
/// thread.
///
/// # Example: grounding a caption
///
/// ```
/// use florence_tasks::{Caption, Florence, PhraseGrounding};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let photo = florence.encode(&img)?;
/// let caption = photo.run(Caption)?.into_value();
/// for phrase in photo.run(PhraseGrounding(&caption.text))? {
///     assert!(!phrase.regions.is_empty());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EncodedImage {
    model: Florence2,
    generation: Arc<GenerationConfig>,
    image: Arc<Encoded>,
}

impl EncodedImage {
    /// Asks about the image, with the options of the [`Florence`](crate::Florence) that encoded it.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`](crate::Florence::run).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// assert!(photo.run(Caption)?.value.text.contains("brown star"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<A: Ask>(&self, question: A) -> Result<Output<A::Output>> {
        self.run_with(question, &self.generation)
    }

    /// Asks about the image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`](crate::Florence::run).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// assert!(!photo.run_with(Caption, &greedy)?.value.text.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_with<A: Ask>(
        &self,
        question: A,
        options: &GenerationConfig,
    ) -> Result<Output<A::Output>> {
        let asked = question.question()?;
        ask(&self.model, (question, asked, self.image()), options)
    }

    /// Asks several questions about the image in one batch; a result for each, in order. An invalid
    /// question does not affect the others.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let answers = photo.run_batch([Task::Caption, Task::RegionToOcr]);
    /// assert!(answers[0].as_ref().is_ok_and(|answer| answer.task == "<CAPTION>"));
    /// assert!(answers[1].is_err()); // it needs a region
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch<A: Ask>(
        &self,
        questions: impl IntoIterator<Item = A>,
    ) -> Vec<Result<Output<A::Output>>> {
        self.run_batch_with(questions, &self.generation)
    }

    /// As [`run_batch`](EncodedImage::run_batch), with these options.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// let answers = photo.run_batch_with([Task::Caption, Task::Od], &greedy);
    /// assert!(answers.iter().all(|answer| answer.is_ok()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch_with<A: Ask>(
        &self,
        questions: impl IntoIterator<Item = A>,
        options: &GenerationConfig,
    ) -> Vec<Result<Output<A::Output>>> {
        let asked = questions.into_iter().map(|question| {
            let asks = question.question()?;
            Ok((question, asks, self.image()))
        });
        ask_each(&self.model, asked.collect(), options)
    }

    /// Runs a cascade of questions about the image.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`](crate::Florence::cascade).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionAndGround, DetectAndDescribe, Florence};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// assert!(!photo.cascade(CaptionAndGround::default())?.value.phrases.is_empty());
    /// assert_eq!(photo.cascade(DetectAndDescribe)?.value.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade<C: Cascade>(&self, cascade: C) -> Result<Cascaded<C::Output>> {
        self.cascade_with(cascade, &self.generation)
    }

    /// Runs a cascade of questions about the image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`](crate::Florence::cascade).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndDescribe, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// assert!(!photo.cascade_with(DetectAndDescribe, &greedy)?.value.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade_with<C: Cascade>(
        &self,
        cascade: C,
        options: &GenerationConfig,
    ) -> Result<Cascaded<C::Output>> {
        self.cascade_while(cascade, options, &|| true)
    }

    /// Runs a cancellable cascade: `go_on` is called before every step that takes the model's time.
    /// For services whose clients may disconnect.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled) where `go_on` returns false, and as
    /// [`Florence::cascade`](crate::Florence::cascade).
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
        self.image.size
    }

    /// The output of the vision tower and projector.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// assert_eq!(photo.features().dim(), florence.model().config().text.d_model);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn features(&self) -> &ImageFeatures {
        &self.image.features
    }

    /// Notes about the file of the image; empty unless it came from an
    /// [`ImageFile`](florence_core::image::ImageFile).
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
        &self.image.notes
    }

    /// The network that encoded the image.
    pub(crate) fn model(&self) -> &Florence2 {
        &self.model
    }

    /// The options of the [`Florence`](crate::Florence) that encoded the image.
    pub(crate) fn generation(&self) -> &GenerationConfig {
        &self.generation
    }

    /// The time of preparation and vision.
    pub(crate) fn timings(&self) -> Timings {
        self.image.timings
    }

    pub(crate) fn new(
        model: &Florence2,
        generation: &Arc<GenerationConfig>,
        image: Encoded,
    ) -> Self {
        Self {
            model: model.clone(),
            generation: Arc::clone(generation),
            image: Arc::new(image),
        }
    }

    pub(crate) fn image(&self) -> Arc<Encoded> {
        Arc::clone(&self.image)
    }
}

impl fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedImage")
            .field("size", &self.image.size)
            .field("tokens", &self.image.features.tokens())
            .finish_non_exhaustive()
    }
}
