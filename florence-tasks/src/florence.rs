//! The model with its tasks.

use std::sync::Arc;

use florence_core::candle::Tensor;
use florence_core::image::{ImageFile, to_rgb};
use florence_core::{FinishReason, Florence2, Generation, GenerationConfig, TokenKind, Tokenizer};
use florence_postprocess::{
    Diagnostic, DiagnosticKind, Parsed, Piece, Size, Token, Vocabulary, parse, phrases_not_in,
};
use image::DynamicImage;

use crate::ask::{Ask, Question};
use crate::cascade::{Cascade, Cascaded};
use crate::encoded::{EncodedImage, ImageSource, PreparedImage};
use crate::error::{Error, Result};
use crate::output::{Output, Timings};
use crate::task::Task;

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
    model: Arc<Florence2>,
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
        Self {
            model: Arc::new(model),
            generation,
        }
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
        image.encoded(self)
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
        PreparedImage::new(self, &to_rgb(image), &[])
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
        PreparedImage::new(self, &to_rgb(&file.image), &file.notes)
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
        let asked = question.question()?;
        let image = image.encoded(self)?;
        let prompt = asked.prompt.to_ids(self.tokenizer(), image.size())?;
        let mut answers = self.model.generate(image.features(), &[prompt], options)?;
        let answer = answers.pop().ok_or_else(no_answer)?;
        Ok(self.output(&question, asked, &image, answer))
    }

    /// Asks several questions at once, each about its own image. An image that several questions
    /// are about is seen once if they share the reference (or an [`EncodedImage`]).
    ///
    /// Every answer is the one that its question gets alone.
    ///
    /// # Errors
    ///
    /// [`Error::InBatch`] with the position of the question at fault, and as [`Florence::run`].
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
        let mut seen: Vec<(&I, EncodedImage)> = Vec::new();
        let mut asked = Vec::new();
        let mut prompts = Vec::new();
        for (index, (question, image)) in questions.into_iter().enumerate() {
            let in_batch = |source| Error::InBatch {
                index,
                source: Box::new(source),
            };
            let asks = question.question().map_err(in_batch)?;
            let image = match seen
                .iter()
                .find(|(other, _)| std::ptr::addr_eq(*other, image))
            {
                Some((_, encoded)) => encoded.clone(),
                None => {
                    let encoded = image.encoded(self).map_err(in_batch)?;
                    seen.push((image, encoded.clone()));
                    encoded
                }
            };
            prompts.push(
                asks.prompt
                    .to_ids(self.tokenizer(), image.size())
                    .map_err(in_batch)?,
            );
            asked.push((question, asks, image));
        }
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let features: Vec<&Tensor> = asked.iter().map(|(_, _, image)| image.features()).collect();
        let features = Tensor::cat(&features, 0)?;
        let answers = self.model.generate(&features, &prompts, options)?;
        Ok(asked
            .into_iter()
            .zip(answers)
            .map(|((question, asks, image), answer)| self.output(&question, asks, &image, answer))
            .collect())
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
        let image = image.encoded(self)?;
        image.cascade_while(cascade, options, &|| true)
    }

    /// Whether both are the same loaded model.
    pub(crate) fn shares_model_with(&self, other: &Florence) -> bool {
        Arc::ptr_eq(&self.model, &other.model)
    }

    fn output<A: Ask>(
        &self,
        question: &A,
        asked: Question,
        image: &EncodedImage,
        generation: Generation,
    ) -> Output<A::Output> {
        let words = Words(self.tokenizer());
        let ids = &generation.token_ids;
        let tokens = Token::sequence(&words, ids, Some(&generation.logprobs));
        let Parsed {
            answer,
            mut diagnostics,
        } = parse(asked.form, &tokens, image.size());
        // Published checkpoints repeat the region that they are asked about: "car<loc_52>…".
        diagnostics.retain(|odd| match &odd.kind {
            DiagnosticKind::UnexpectedLocations { bins } => {
                !asked.prompt.asks_about(bins, image.size())
            }
            _ => true,
        });
        diagnostics.extend(odd_question(&asked, &tokens, image.size()));
        let cut_off = generation.finish == FinishReason::MaxNewTokens;
        if cut_off
            && !diagnostics
                .iter()
                .any(|odd| odd.kind == DiagnosticKind::Truncated)
        {
            // The last token was forced to be the end.
            let token = ids.len().saturating_sub(1);
            diagnostics.push(Diagnostic {
                token,
                kind: DiagnosticKind::Truncated,
            });
        }
        diagnostics.sort_by_key(|odd| odd.token);
        Output {
            value: question.read(answer),
            task: asked.marker,
            size: image.size(),
            raw_text: self.tokenizer().decode(ids),
            score: generation.score,
            finish: generation.finish,
            diagnostics,
            image_notes: image.notes().to_vec(),
            timings: Timings {
                encoder: generation.encoder_time,
                decode: generation.decoder_time,
                ..image.timings()
            },
            token_ids: generation.token_ids,
            logprobs: generation.logprobs,
        }
    }
}

/// What is odd about an answer where the question is known.
fn odd_question(asked: &Question, answer: &[Token<'_>], size: Size) -> Vec<Diagnostic> {
    let mut odd = Vec::new();
    if asked.prompt.region_looks_normalised(size) {
        let kind = DiagnosticKind::RegionLooksNormalised { size };
        odd.push(Diagnostic { token: 0, kind });
    }
    // Fine-tunes may write the caption themselves, then ground it.
    if asked.marker == Task::PhraseGrounding.marker() {
        odd.extend(phrases_not_in(&asked.prompt.words(), answer));
    }
    odd
}

fn no_answer() -> Error {
    Error::Core(florence_core::Error::Argument {
        argument: "prompts",
        found: "answered by nothing".to_owned(),
        expected: "one answer for each".to_owned(),
    })
}

/// The tokenizer as the parser sees it.
struct Words<'a>(&'a Tokenizer);

impl Vocabulary for Words<'_> {
    fn piece(&self, id: u32) -> Piece<'_> {
        match self.0.token(id) {
            TokenKind::Text(bytes) => Piece::Text(bytes),
            TokenKind::Location(bin) => Piece::Location(bin),
            TokenKind::Marker(name) => Piece::Marker(name),
            TokenKind::Control(name) => Piece::Control(name),
        }
    }
}
