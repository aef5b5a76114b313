//! The state of a running cascade.

use std::fmt;
use std::time::Instant;

use florence_core::GenerationConfig;
use florence_core::image::ImageNote;
use florence_postprocess::{Answer, BBox, Size};

use crate::ask::{Ask, Question};
use crate::encoded::EncodedImage;
use crate::error::{Error, Result};
use crate::output::{Output, Timings};
use crate::prompt::Prompt;
use crate::score::AnswerScore;

/// Maximum number of questions in a batch.
const BATCH: usize = 16;

/// The result of a cascade, and the answers that it is based on.
///
/// Iterating over it iterates over its [`value`](Cascaded::value).
///
/// # Example
///
/// ```
/// use florence_tasks::{DetectAndDescribe, Florence};
///
/// let florence = Florence::nano()?;
/// let described = florence.cascade(DetectAndDescribe, &image::open("tests/data/scene.png")?)?;
/// assert_eq!(described.steps.len(), 1 + described.value.len());
/// let texts: Vec<String> = described.into_iter().map(|object| object.description.text).collect();
/// assert!(!texts.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Cascaded<T> {
    /// The result.
    pub value: T,
    /// Every answer, in the order of the questions.
    pub steps: Vec<Output<Answer>>,
    /// The size of the original image in pixels, which all geometry refers to.
    pub size: Size,
    /// Notes about the image's file; see [`Output::image_notes`].
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub image_notes: Vec<ImageNote>,
    /// Time of all questions and scores together; the image was encoded once.
    #[cfg_attr(feature = "serde", serde(rename = "timings_ms"))]
    pub timings: Timings,
}

impl<T> Cascaded<T> {
    /// The result alone.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndSegment, Florence, Segmented};
    ///
    /// let florence = Florence::nano()?;
    /// let image = image::open("tests/data/scene.png")?;
    /// let objects: Vec<Segmented> = florence.cascade(DetectAndSegment, &image)?.into_value();
    /// assert!(!objects.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_value(self) -> T {
        self.value
    }

    /// Maps the result.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{DetectAndSegment, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let image = image::open("tests/data/scene.png")?;
    /// let count = florence.cascade(DetectAndSegment, &image)?.map(|objects| objects.len());
    /// assert!(count.value > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Cascaded<U> {
        Cascaded {
            value: change(self.value),
            steps: self.steps,
            size: self.size,
            image_notes: self.image_notes,
            timings: self.timings,
        }
    }
}

impl<T: IntoIterator> IntoIterator for Cascaded<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.value.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Cascaded<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.value.into_iter()
    }
}

/// The image of a [`Cascade`](crate::Cascade) and the answers so far.
pub struct Steps<'a> {
    image: &'a EncodedImage,
    options: &'a GenerationConfig,
    /// Returns false once the cascade is cancelled.
    go_on: &'a dyn Fn() -> bool,
    answers: Vec<Output<Answer>>,
    timings: Timings,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(
        image: &'a EncodedImage,
        options: &'a GenerationConfig,
        go_on: &'a dyn Fn() -> bool,
    ) -> Self {
        Self {
            image,
            options,
            go_on,
            answers: Vec::new(),
            timings: image.timings(),
        }
    }

    /// Finishes the cascade.
    pub(crate) fn end<T>(self, value: T) -> Cascaded<T> {
        Cascaded {
            value,
            steps: self.answers,
            size: self.image.size(),
            image_notes: self.image.notes().to_vec(),
            timings: self.timings,
        }
    }

    /// An error once the cascade is cancelled.
    fn check(&self) -> Result<()> {
        (self.go_on)().then_some(()).ok_or(Error::Cancelled)
    }

    /// Adds the time of questions answered in one batch, which each of them carries.
    fn count(&mut self, answered: Timings) {
        self.timings.encoder += answered.encoder;
        self.timings.decode += answered.decode;
    }

    /// Asks one question.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`](crate::Florence::run), and [`Error::Cancelled`].
    ///
    /// # Example
    ///
    /// See [`Cascade`](crate::Cascade).
    pub fn ask<A: Ask>(&mut self, question: A) -> Result<A::Output> {
        self.check()?;
        let output = self.image.run_with(Untyped(&question), self.options)?;
        self.count(output.timings);
        let value = question.read(output.value.clone());
        self.answers.push(output);
        Ok(value)
    }

    /// Asks several questions in batches.
    ///
    /// # Errors
    ///
    /// As [`Florence::run_batch`](crate::Florence::run_batch), and [`Error::Cancelled`].
    ///
    /// # Example
    ///
    /// See [`Cascade`](crate::Cascade).
    pub fn ask_all<A: Ask>(&mut self, questions: Vec<A>) -> Result<Vec<A::Output>> {
        let mut values = Vec::with_capacity(questions.len());
        for questions in questions.chunks(BATCH) {
            self.check()?;
            let untyped = questions.iter().map(Untyped);
            let outputs = self.image.run_batch_with(untyped, self.options);
            let outputs = outputs.into_iter().collect::<Result<Vec<_>>>()?;
            if let Some(first) = outputs.first() {
                self.count(first.timings);
            }
            for (question, output) in questions.iter().zip(outputs) {
                values.push(question.read(output.value.clone()));
                self.answers.push(output);
            }
        }
        Ok(values)
    }

    /// The log-probabilities of given answers to a question.
    ///
    /// # Errors
    ///
    /// As [`Florence::score`](crate::Florence::score), and [`Error::Cancelled`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Caption, Cascade, Florence, Result, Steps};
    ///
    /// /// Whether the first caption is more probable than the second.
    /// struct Better(&'static str, &'static str);
    ///
    /// impl Cascade for Better {
    ///     type Output = bool;
    ///
    ///     fn run(&self, steps: &mut Steps<'_>) -> Result<bool> {
    ///         let scores = steps.score(Caption, [self.0, self.1])?;
    ///         Ok(scores[0].logprob() > scores[1].logprob())
    ///     }
    /// }
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let right = "a red square, a brown star and a blue triangle with text";
    /// assert!(Florence::nano()?.cascade(Better(right, "a pink heart"), &img)?.value);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn score<A: Ask>(
        &mut self,
        question: A,
        answers: impl IntoIterator<Item = impl Into<Prompt>>,
    ) -> Result<Vec<AnswerScore>> {
        self.check()?;
        let start = Instant::now();
        let scores = self.image.score(question, answers);
        self.timings.decode += start.elapsed();
        scores
    }

    /// The size of the image in pixels.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Cascade, Florence, Result, Size, Steps};
    ///
    /// struct HowLarge;
    ///
    /// impl Cascade for HowLarge {
    ///     type Output = Size;
    ///
    ///     fn run(&self, steps: &mut Steps<'_>) -> Result<Size> {
    ///         Ok(steps.size())
    ///     }
    /// }
    ///
    /// let florence = Florence::nano()?;
    /// let size = florence.cascade(HowLarge, &image::open("tests/data/scene.png")?)?;
    /// assert_eq!(size.value, Size::new(390, 309));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn size(&self) -> Size {
        self.image.size()
    }

    /// A box of an answer as a region to ask about: models may write corners in any order.
    ///
    /// # Example
    ///
    /// See [`Cascade`](crate::Cascade).
    pub fn region(&self, bbox: &BBox) -> BBox {
        bbox.ordered().clamp(self.size())
    }
}

impl fmt::Debug for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("image", &self.image)
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}

/// A question that keeps its untyped answer.
struct Untyped<'q, A>(&'q A);

impl<A: Ask> Ask for Untyped<'_, A> {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        self.0.question()
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}
