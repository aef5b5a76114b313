//! The model and its tasks.

use std::sync::Arc;

use florence_core::image::{ImageFile, to_rgb};
use florence_core::{Florence2, GenerationConfig, Tokenizer};
use image::DynamicImage;

use crate::answer::ask_each;
use crate::ask::Ask;
use crate::cascade::{Cascade, Cascaded};
use crate::encoded::EncodedImage;
use crate::error::Result;
use crate::features;
use crate::output::Output;
use crate::prepared::PreparedImage;
use crate::source::{ImageSource, Input};

/// A Florence-2 that answers questions about images.
///
/// Clones are cheap and share the weights. Everything takes `&self`: one `Florence` serves any
/// number of threads. The work itself runs in the rayon pool of the caller, see
/// [`Florence2`](Florence2#threads).
///
/// # Example
///
/// ```
/// use florence_tasks::{Florence, Od, Task};
///
/// let florence = Florence::nano()?; // or Florence::from_dir("Florence-2-base-ft")?
/// let img = image::open("tests/data/scene.png")?;
///
/// for object in florence.run(Od, &img)? {
///     println!("{} at {:?}", object.label, object.bbox);
/// }
///
/// let answer = florence.run(Task::Od, &img)?; // the same, with one type for all tasks
/// assert_eq!(answer.value.detections().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Florence {
    model: Florence2,
    generation: Arc<GenerationConfig>,
}

impl Florence {
    /// Adds the tasks to a network.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_tasks::{Checkpoint, Florence, florence_core::Florence2};
    ///
    /// let model = Florence2::load(Checkpoint::from_dir("Florence-2-base-ft")?)?;
    /// let florence = Florence::from_model(model);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn from_model(model: Florence2) -> Self {
        let generation = Arc::new(model.generation_config());
        Self { model, generation }
    }

    /// The same model with other options for every question.
    ///
    /// # Example: greedy and short
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let options = florence.generation().clone().num_beams(1).max_new_tokens(20);
    /// let hasty = florence.with_generation(options);
    /// let caption = hasty.run(Caption, &image::open("tests/data/scene.png")?)?;
    /// assert!(caption.token_ids.len() <= 21);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_generation(self, options: GenerationConfig) -> Self {
        Self {
            generation: Arc::new(options),
            ..self
        }
    }

    /// The options for every question: by default those of the checkpoint.
    ///
    /// # Example
    ///
    /// ```
    /// let florence = florence_tasks::Florence::nano()?;
    /// assert_eq!(florence.generation().get_num_beams(), 3);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn generation(&self) -> &GenerationConfig {
        &self.generation
    }

    /// The network.
    ///
    /// # Example
    ///
    /// ```
    /// let florence = florence_tasks::Florence::nano()?;
    /// assert!(florence.model().parameter_count() < 5_000_000);
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn model(&self) -> &Florence2 {
        &self.model
    }

    /// The tokenizer of the checkpoint.
    ///
    /// # Example
    ///
    /// ```
    /// let florence = florence_tasks::Florence::nano()?;
    /// assert!(florence.tokenizer().location_id(999).is_some());
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn tokenizer(&self) -> &Tokenizer {
        self.model.tokenizer()
    }

    /// Runs the vision tower: the work that all questions about an image share.
    ///
    /// # Errors
    ///
    /// An image without pixels or too large; an [`EncodedImage`] of another model.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Size};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// assert_eq!(photo.size(), Size::from(image::open("tests/data/scene.png")?.to_rgb8().dimensions()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode<I: ImageSource + ?Sized>(&self, image: &I) -> Result<EncodedImage> {
        Ok(match image.input(&self.model)? {
            Input::Encoded(image) => image,
            Input::Prepared(image) => self.encode_prepared(&[image]).remove(0)?,
        })
    }

    /// Runs the vision tower on several images, in batches as large as memory allows (see
    /// [`Florence2::encode_pixels`]); a result for each, in order. An invalid image does not affect
    /// the others.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence, Result};
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(0, 0)];
    /// let mut encoded = florence.encode_batch(&images);
    /// assert!(encoded[1].is_err()); // it has no pixels
    /// let alone = florence.run(Caption, &images[0])?;
    /// assert_eq!(encoded.remove(0)?.run(Caption)?.token_ids, alone.token_ids);
    ///
    /// // All or nothing:
    /// let encoded = florence.encode_batch(&images).into_iter();
    /// assert!(encoded.collect::<Result<Vec<_>>>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode_batch<I: ImageSource>(&self, images: &[I]) -> Vec<Result<EncodedImage>> {
        self.encode_inputs(
            images
                .iter()
                .map(|image| image.input(&self.model))
                .collect(),
        )
    }

    /// Encodes what is not encoded yet, in batches.
    fn encode_inputs(&self, inputs: Vec<Result<Input>>) -> Vec<Result<EncodedImage>> {
        let prepared = inputs.iter().filter_map(|input| match input {
            Ok(Input::Prepared(image)) => Some(image.clone()),
            _ => None,
        });
        let mut encoded = self
            .encode_prepared(&prepared.collect::<Vec<_>>())
            .into_iter();
        let all = inputs.into_iter().filter_map(|input| match input {
            Ok(Input::Prepared(_)) => encoded.next(),
            Ok(Input::Encoded(image)) => Some(Ok(image)),
            Err(error) => Some(Err(error)),
        });
        all.collect()
    }

    /// One result for each.
    fn encode_prepared(&self, images: &[PreparedImage]) -> Vec<Result<EncodedImage>> {
        let encoded = features::encode(&self.model, images).into_iter();
        encoded
            .map(|image| Ok(EncodedImage::new(&self.model, &self.generation, image?)))
            .collect()
    }

    /// Converts an image to the vision tower's input, without running it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Image`](crate::ErrorKind) for an image without pixels.
    ///
    /// # Example
    ///
    /// See [`PreparedImage`].
    pub fn prepare(&self, image: &DynamicImage) -> Result<PreparedImage> {
        PreparedImage::new(&self.model, &to_rgb(image), &[])
    }

    /// Converts an image file to the vision tower's input, with its notes, which every [`Output`]
    /// about it carries.
    ///
    /// # Errors
    ///
    /// As [`Florence::prepare`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::florence_core::image::{ImageFile, ImageOptions};
    /// use florence_tasks::Florence;
    ///
    /// let file = ImageFile::open("tests/data/scene.png", &ImageOptions::default())?;
    /// let prepared = Florence::nano()?.prepare_file(&file)?;
    /// assert_eq!(prepared.size(), (390, 309).into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare_file(&self, file: &ImageFile) -> Result<PreparedImage> {
        PreparedImage::new(&self.model, &to_rgb(&file.image), &file.notes)
    }

    /// Asks one question about an image.
    ///
    /// `question` is the type of a task ([`Od`](crate::Od), [`Caption`](crate::Caption) …), a
    /// [`Task`](crate::Task), a [`Request`](crate::Request), a [`Custom`](crate::Custom) or another
    /// [`Ask`]; `image` an image, an [`ImageFile`], whose notes the answer then carries, or an
    /// [`EncodedImage`].
    ///
    /// # Errors
    ///
    /// An input of the question is missing or superfluous, a region is no box inside the image, the
    /// prompt is too long, an option is out of range, the image has no pixels. The model's answer
    /// itself is never an error.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Od, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let image = image::open("tests/data/scene.png")?;
    /// let typed = florence.run(Od, &image)?;
    /// let untyped = florence.run(Task::Od, &image)?;
    /// assert_eq!(typed.value, untyped.value.detections());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<A: Ask, I: ImageSource + ?Sized>(
        &self,
        question: A,
        image: &I,
    ) -> Result<Output<A::Output>> {
        self.run_with(question, image, &self.generation)
    }

    /// Asks one question about an image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example: boxes may repeat coordinates
    ///
    /// ```
    /// use florence_tasks::{Florence, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let options = florence.generation().clone().no_repeat_exempts_locations(true);
    /// assert!(!florence.run_with(Od, &img, &options)?.value.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_with<A: Ask, I: ImageSource + ?Sized>(
        &self,
        question: A,
        image: &I,
        options: &GenerationConfig,
    ) -> Result<Output<A::Output>> {
        // Refused before the vision tower runs, if possible.
        question.question()?;
        self.encode(image)?.run_with(question, options)
    }

    /// Asks several questions in one batch, each about its own image; a result for each, in order.
    /// An invalid question or image does not affect the others, and every answer is the one that
    /// its question gets alone.
    ///
    /// Distinct images are encoded in batches; one that several questions share is encoded once if
    /// they share the reference (or an [`EncodedImage`]).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(0, 0)];
    /// let mut captions = florence.run_batch(images.iter().map(|image| (Caption, image)));
    /// assert!(captions[1].is_err()); // it has no pixels
    /// assert!(!captions.remove(0)?.value.text.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch<'i, A: Ask, I: ImageSource + ?Sized + 'i>(
        &self,
        questions: impl IntoIterator<Item = (A, &'i I)>,
    ) -> Vec<Result<Output<A::Output>>> {
        self.run_batch_with(questions, &self.generation)
    }

    /// As [`run_batch`](Florence::run_batch), with these options.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// let answers = florence.run_batch_with([(Task::Caption, &img), (Task::Od, &img)], &greedy);
    /// assert!(answers.iter().all(|answer| answer.is_ok()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch_with<'i, A: Ask, I: ImageSource + ?Sized + 'i>(
        &self,
        questions: impl IntoIterator<Item = (A, &'i I)>,
        options: &GenerationConfig,
    ) -> Vec<Result<Output<A::Output>>> {
        let mut sources: Vec<&I> = Vec::new();
        let mut asked = Vec::new();
        for (question, source) in questions {
            // The images of invalid questions are not encoded.
            asked.push(question.question().map(|asks| {
                let mut known = sources.iter();
                let known = known.position(|other| std::ptr::addr_eq(*other, source));
                let image = known.unwrap_or_else(|| {
                    sources.push(source);
                    sources.len() - 1
                });
                (question, asks, image)
            }));
        }
        let inputs = sources.iter().map(|source| source.input(&self.model));
        let images = self.encode_inputs(inputs.collect());
        let asked = asked.into_iter().map(|asked| {
            let (question, asks, index) = asked?;
            let image = match &images[index] {
                Ok(image) => image.image(),
                // An error cannot be cloned for each of the image's questions: it is reproduced.
                Err(_) => self.encode(sources[index])?.image(),
            };
            Ok((question, asks, image))
        });
        ask_each(&self.model, asked.collect(), options)
    }

    /// Runs a cascade of questions about one image, which is encoded once.
    ///
    /// # Errors
    ///
    /// Those of the questions, as [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionAndGround, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let grounded = florence.cascade(CaptionAndGround::default(), &img)?.into_value();
    /// assert!(grounded.caption.text.contains(&grounded.phrases[0].phrase));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade<C: Cascade, I: ImageSource + ?Sized>(
        &self,
        cascade: C,
        image: &I,
    ) -> Result<Cascaded<C::Output>> {
        self.cascade_with(cascade, image, &self.generation)
    }

    /// Runs a cascade of questions about one image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndSegment, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// assert!(!florence.cascade_with(DetectAndSegment, &img, &greedy)?.value.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade_with<C: Cascade, I: ImageSource + ?Sized>(
        &self,
        cascade: C,
        image: &I,
        options: &GenerationConfig,
    ) -> Result<Cascaded<C::Output>> {
        self.encode(image)?.cascade_with(cascade, options)
    }
}
