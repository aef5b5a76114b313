//! Outputs: answers with what is known about them.

use std::time::Duration;

use florence_core::FinishReason;
use florence_core::image::ImageNote;
#[cfg(feature = "compat")]
use florence_postprocess::compat::{self, Value};
use florence_postprocess::{Diagnostic, Size};

/// An answer, with its tokens, log-probabilities, diagnostics and timings.
///
/// Iterating over it iterates over its [`value`](Output::value): `for object in output` visits the
/// detections.
///
/// Serialized (feature `serde`), `value` is the typed answer and durations are milliseconds under
/// `timings_ms`.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let caption = florence.run(Caption, &img)?;
/// assert!(!caption.value.text.is_empty());
/// assert!(caption.raw_text.starts_with("</s><s>"));
/// assert_eq!(caption.logprobs.len(), caption.token_ids.len() - 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Output<T> {
    /// The answer.
    pub value: T,
    /// The task token, such as `<OD>`.
    pub task: String,
    /// The size of the original image in pixels, which all geometry refers to.
    pub size: Size,
    /// The answer as the model wrote it, with special tokens, as the reference decodes it.
    pub raw_text: String,
    /// The whole decoder sequence, from its start token to the closing `</s>`.
    pub token_ids: Vec<u32>,
    /// The log-probability of every token after the start token.
    pub logprobs: Vec<f32>,
    /// The score by which the search ranked this answer.
    pub score: f32,
    /// Why the answer ends.
    pub finish: FinishReason,
    /// Parse diagnostics, and remarks about the question; token indices refer to
    /// [`token_ids`](Output::token_ids). An answer that repeats the region of its question, as
    /// those of published checkpoints do, gives none.
    pub diagnostics: Vec<Diagnostic>,
    /// Notes about the image's file, if it was an [`ImageFile`](florence_core::image::ImageFile):
    /// damage, and its orientation.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub image_notes: Vec<ImageNote>,
    /// Time by stage.
    #[cfg_attr(feature = "serde", serde(rename = "timings_ms"))]
    pub timings: Timings,
}

impl<T> Output<T> {
    /// The answer alone.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Detection, Florence, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let detections: Vec<Detection> = florence.run(Od, &img)?.into_value();
    /// assert!(!detections.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_value(self) -> T {
        self.value
    }

    /// Maps the value.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let count = florence.run(Od, &img)?.map(|detections| detections.len());
    /// assert!(count.value > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Output<U> {
        Output {
            value: change(self.value),
            task: self.task,
            size: self.size,
            raw_text: self.raw_text,
            token_ids: self.token_ids,
            logprobs: self.logprobs,
            score: self.score,
            finish: self.finish,
            diagnostics: self.diagnostics,
            image_notes: self.image_notes,
            timings: self.timings,
        }
    }

    /// The dict that a published processor's `post_process_generation` gives for this answer, with
    /// the task token as its key.
    ///
    /// Computed from [`raw_text`](Output::raw_text) by [`compat`](florence_postprocess::compat),
    /// oddities included.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Flavor, Florence, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let dict = florence.run(Od, &img)?.to_reference_json(Flavor::Microsoft);
    /// assert!(dict["<OD>"]["bboxes"].as_list().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "compat")]
    pub fn to_reference_json(&self, flavor: Flavor) -> Value {
        flavor.post_process(&self.raw_text, &self.task, self.size)
    }
}

impl<T: IntoIterator> IntoIterator for Output<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.value.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Output<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.value.into_iter()
    }
}

#[cfg(feature = "draw")]
impl<T: florence_draw::Marks> florence_draw::Marks for Output<T> {
    fn marks(&self) -> Vec<florence_draw::Mark> {
        self.value.marks()
    }
}

/// The Python post-processor whose output format to imitate.
///
/// # Example
///
/// ```
/// use florence_tasks::{Flavor, Size};
///
/// let text = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
/// let size = Size::new(640, 480);
/// let dict = Flavor::Transformers.post_process(text, "<OD>", size);
/// assert_eq!(dict.to_string(), r#"{"<OD>":{"bboxes":[[34,180,580,339]],"labels":["car"]}}"#);
/// ```
#[cfg(feature = "compat")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Flavor {
    /// The processor published beside Microsoft's checkpoints: coordinates as floats.
    #[default]
    Microsoft,
    /// The `transformers` library: coordinates as truncated integers.
    Transformers,
}

#[cfg(feature = "compat")]
impl Flavor {
    /// The dict for a decoded answer; see [`compat`](florence_postprocess::compat).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Flavor, Size};
    ///
    /// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
    /// let dict = Flavor::Transformers.post_process(answer, "<OD>", Size::new(640, 480));
    /// assert_eq!(dict["<OD>"]["labels"][0], "car");
    /// ```
    pub fn post_process(self, text: &str, task: &str, size: Size) -> Value {
        match self {
            Flavor::Microsoft => compat::microsoft::post_process(text, task, size),
            Flavor::Transformers => compat::transformers::post_process(text, task, size),
        }
    }
}

/// Time of a question by stage. An [encoded](crate::EncodedImage) image carries the time of its
/// preparation and vision into every answer; a batch shares the time of its encoder and decoder.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let timings = florence.run(Caption, &img)?.timings;
/// assert!(timings.total() > timings.vision);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timings {
    /// Resizing and normalizing the image.
    #[cfg_attr(feature = "serde", serde(with = "milliseconds"))]
    pub preprocess: Duration,
    /// The vision tower and projector.
    #[cfg_attr(feature = "serde", serde(with = "milliseconds"))]
    pub vision: Duration,
    /// The text encoder.
    #[cfg_attr(feature = "serde", serde(with = "milliseconds"))]
    pub encoder: Duration,
    /// The decoder: the search for the answer.
    #[cfg_attr(feature = "serde", serde(with = "milliseconds"))]
    pub decode: Duration,
}

impl Timings {
    /// The sum of all stages.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use florence_tasks::Timings;
    ///
    /// let timings = Timings { vision: Duration::from_millis(5), ..Timings::default() };
    /// assert_eq!(timings.total(), Duration::from_millis(5));
    /// ```
    pub fn total(&self) -> Duration {
        self.preprocess + self.vision + self.encoder + self.decode
    }
}

/// Durations as milliseconds.
#[cfg(feature = "serde")]
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64() * 1000.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)? / 1000.0;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}
