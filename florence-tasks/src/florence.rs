//! The model with its tasks.

use std::sync::Arc;

use florence_core::image::{ImageFile, to_rgb};
use florence_core::{Florence2, GenerationConfig, Tokenizer};
use image::DynamicImage;

use crate::answer::ask_all;
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
/// for found in florence.run(Od, &img)? {
///     println!("{} at {:?}", found.label, found.bbox);
/// }
///
/// let answer = florence.run(Task::Od, &img)?; // the same, as one type for all tasks
/// println!("{}", serde_json::to_string(&answer)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Florence {
    model: Florence2,
    generation: Arc<GenerationConfig>,
}

impl Florence {
    /// Puts the tasks around a network.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_tasks::{Checkpoint, Florence, core::Florence2};
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
    /// use florence_tasks::{Caption, Florence, GenerationConfig};
    ///
    /// let florence = Florence::nano()?;
    /// let options = GenerationConfig {
    ///     num_beams: 1,
    ///     max_new_tokens: 20,
    ///     ..florence.generation().clone()
    /// };
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

    /// The options for every question: those of the checkpoint unless changed.
    ///
    /// # Example
    ///
    /// ```
    /// let florence = florence_tasks::Florence::nano()?;
    /// assert_eq!(florence.generation().num_beams, 3);
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
    /// println!("{:?}", florence.model().layout());
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

    /// Runs the vision tower: the part of the work that all questions about an image share.
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
            Input::Prepared(image) => self.encode_prepared(&[image])?.remove(0),
        })
    }

    /// Runs the vision tower on several images at once, as many together as its memory is meant
    /// for (see [`Florence2::encode_pixels`]).
    ///
    /// # Errors
    ///
    /// [`Error::InBatch`](crate::Error::InBatch) with the position of the image at fault, and as
    /// [`Florence::encode`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(64, 48)];
    /// let encoded = florence.encode_batch(&images)?;
    /// let alone = florence.run(Caption, &images[0])?;
    /// assert_eq!(encoded[0].run(Caption)?.token_ids, alone.token_ids);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode_batch<I: ImageSource>(&self, images: &[I]) -> Result<Vec<EncodedImage>> {
        let inputs = images.iter().enumerate().map(|(index, image)| {
            let input = image.input(&self.model);
            input.map_err(|source| source.in_batch(index))
        });
        self.encode_inputs(inputs.collect::<Result<_>>()?)
    }

    /// As [`Florence::encode_batch`], with an image or an error for each: one that is at fault does
    /// not cost the others theirs.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Florence;
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(0, 0)];
    /// let encoded = florence.encode_each(&images);
    /// assert!(encoded[0].is_ok() && encoded[1].is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode_each<I: ImageSource>(&self, images: &[I]) -> Vec<Result<EncodedImage>> {
        match self.encode_batch(images) {
            Ok(encoded) => encoded.into_iter().map(Ok).collect(),
            Err(_) => images.iter().map(|image| self.encode(image)).collect(),
        }
    }

    /// Encodes what is not encoded yet, together.
    fn encode_inputs(&self, inputs: Vec<Input>) -> Result<Vec<EncodedImage>> {
        let prepared = inputs.iter().filter_map(|input| match input {
            Input::Prepared(image) => Some(image.clone()),
            Input::Encoded(_) => None,
        });
        let prepared = prepared.collect::<Vec<_>>();
        let mut encoded = self.encode_prepared(&prepared)?.into_iter();
        let all = inputs.into_iter().filter_map(|input| match input {
            Input::Prepared(_) => encoded.next(),
            Input::Encoded(image) => Some(image),
        });
        Ok(all.collect())
    }

    /// One encoded image for each.
    fn encode_prepared(&self, images: &[PreparedImage]) -> Result<Vec<EncodedImage>> {
        let features = features::encode(&self.model, images)?.into_iter();
        Ok(features
            .map(|image| EncodedImage::new(&self.model, &self.generation, image))
            .collect())
    }

    /// Brings an image to what the vision tower takes, without running it.
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

    /// Brings an image file to what the vision tower takes, with its notes, which every
    /// [`Output`] about it carries.
    ///
    /// # Errors
    ///
    /// As [`Florence::prepare`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::core::image::{ImageFile, ImageOptions};
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
    /// [`Task`](crate::Task), a [`Request`](crate::Request), a [`Custom`](crate::Custom) or
    /// anything else that is [`Ask`]; `image` a picture, an
    /// [`ImageFile`], whose notes the answer then carries, or an [`EncodedImage`].
    ///
    /// # Errors
    ///
    /// Something that the question needs is missing or superfluous, a region is no box inside the
    /// image, the prompt is too long, an option is out of range, the image has no pixels. What the
    /// model answers is never an error.
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
    /// assert_eq!(typed.value, untyped.detections());
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
    /// use florence_tasks::{Florence, GenerationConfig, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let options = GenerationConfig {
    ///     no_repeat_exempts_locations: true,
    ///     ..florence.generation().clone()
    /// };
    /// println!("{} things", florence.run_with(Od, &img, &options)?.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_with<A: Ask, I: ImageSource + ?Sized>(
        &self,
        question: A,
        image: &I,
        options: &GenerationConfig,
    ) -> Result<Output<A::Output>> {
        // Refused before the vision tower runs, where that is possible.
        question.question()?;
        self.encode(image)?.run_with(question, options)
    }

    /// Asks several questions at once, each about its own image. Distinct images are encoded together; one that
    /// several questions are about is encoded once if they share the reference (or an [`EncodedImage`]).
    ///
    /// Every answer is the one that its question gets alone.
    ///
    /// # Errors
    ///
    /// [`Error::InBatch`](crate::Error::InBatch) with the position of the question at fault, and as [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(64, 48)];
    /// for caption in florence.run_batch(images.iter().map(|img| (Caption, img)))? {
    ///     println!("{}", caption.text);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch<'i, A: Ask, I: ImageSource + ?Sized + 'i>(
        &self,
        questions: impl IntoIterator<Item = (A, &'i I)>,
    ) -> Result<Vec<Output<A::Output>>> {
        self.run_batch_with(questions, &self.generation)
    }

    /// Asks several questions at once, with these options.
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
    /// let img = image::open("tests/data/scene.png")?;
    /// let greedy = GenerationConfig { num_beams: 1, ..florence.generation().clone() };
    /// let questions = [(Task::Caption, &img), (Task::Od, &img)];
    /// assert_eq!(florence.run_batch_with(questions, &greedy)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_batch_with<'i, A: Ask, I: ImageSource + ?Sized + 'i>(
        &self,
        questions: impl IntoIterator<Item = (A, &'i I)>,
        options: &GenerationConfig,
    ) -> Result<Vec<Output<A::Output>>> {
        let mut sources: Vec<&I> = Vec::new();
        let mut inputs = Vec::new();
        let mut asked = Vec::new();
        for (index, (question, source)) in questions.into_iter().enumerate() {
            let asks = question.question().map_err(|error| error.in_batch(index))?;
            let known = sources
                .iter()
                .position(|other| std::ptr::addr_eq(*other, source));
            let image = match known {
                Some(image) => image,
                None => {
                    let input = source.input(&self.model);
                    inputs.push(input.map_err(|error| error.in_batch(index))?);
                    sources.push(source);
                    sources.len() - 1
                }
            };
            asked.push((question, asks, image));
        }
        let images = self.encode_inputs(inputs)?;
        let asked = asked
            .into_iter()
            .map(|(question, asks, image)| (question, asks, images[image].image()));
        ask_all(&self.model, asked.collect(), options)
    }

    /// Runs a series of questions about one image, which is encoded once.
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
    /// let grounded = florence.cascade(CaptionAndGround::default(), &img)?;
    /// println!("{}: {} phrases", grounded.caption.text, grounded.phrases.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cascade<C: Cascade, I: ImageSource + ?Sized>(
        &self,
        cascade: C,
        image: &I,
    ) -> Result<Cascaded<C::Output>> {
        self.cascade_with(cascade, image, &self.generation)
    }

    /// Runs a series of questions about one image, with these options.
    ///
    /// # Errors
    ///
    /// As [`Florence::cascade`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndSegment, Florence, GenerationConfig};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let greedy = GenerationConfig { num_beams: 1, ..florence.generation().clone() };
    /// println!("{} things", florence.cascade_with(DetectAndSegment, &img, &greedy)?.len());
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
