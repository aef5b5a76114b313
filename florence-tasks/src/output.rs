//! What comes back from a question.

use std::ops::Deref;
use std::time::Duration;

use florence_core::FinishReason;
use florence_core::image::ImageNote;
use florence_postprocess::compat::{self, Value};
use florence_postprocess::{Diagnostic, Size};
use serde::{Serialize, Serializer};

/// An answer, and everything known about how it came to be.
///
/// It behaves like its [`value`](Output::value): `output.iter()` and `for found in output` run over
/// the detections, `output.text` is the caption.
///
/// Serialised, `value` is the typed answer and durations are milliseconds under `timings_ms`.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let caption = florence.run(Caption, &img)?;
/// println!("{} ({:?})", caption.text, caption.confidence);
/// assert!(caption.raw_text.starts_with("</s><s>"));
/// assert_eq!(caption.logprobs.len(), caption.token_ids.len() - 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output<T> {
    /// The answer.
    pub value: T,
    /// The marker of the task, such as `<OD>`.
    pub task: String,
    /// The size of the original image in pixels, which all geometry refers to.
    pub size: Size,
    /// The answer as the model wrote it, with special tokens, as the reference decodes it.
    pub raw_text: String,
    /// The whole decoder sequence, from its start token to the closing `</s>`.
    pub token_ids: Vec<u32>,
    /// The log-probability of every token after the start token.
    pub logprobs: Vec<f32>,
    /// What the search ranked this answer by.
    pub score: f32,
    /// Why the answer ends.
    #[serde(serialize_with = "serialize_finish")]
    pub finish: FinishReason,
    /// What was odd about the answer, or about the question in the light of the image; token
    /// indices refer to [`token_ids`](Output::token_ids).
    /// That the answer repeats the region of its question, as those of published checkpoints do,
    /// is not.
    pub diagnostics: Vec<Diagnostic>,
    /// What there is to say about the file of the image, where it came from one as an
    /// [`ImageFile`](florence_core::image::ImageFile): damage, and the way it is stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_notes: Vec<ImageNote>,
    /// Where the time went.
    #[serde(rename = "timings_ms")]
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
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_value(self) -> T {
        self.value
    }

    /// The same with another value.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Od};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let count = florence.run(Od, &img)?.map(|detections| detections.len());
    /// println!("{} things", count.value);
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

    /// The dict that a published processor's `post_process_generation` gives for this answer,
    /// with the task's marker as its key.
    ///
    /// It is computed from [`raw_text`](Output::raw_text) by
    /// [`compat`](florence_postprocess::compat), oddities included.
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
    pub fn to_reference_json(&self, flavor: Flavor) -> Value {
        flavor.post_process(&self.raw_text, &self.task, self.size)
    }
}

impl<T> Deref for Output<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
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

/// Which published processor a dict is to look like.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavor {
    /// The file that Microsoft publishes beside its checkpoints: coordinates as floats.
    #[default]
    Microsoft,
    /// The `transformers` library: coordinates as truncated integers.
    Transformers,
}

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

/// Where the time of a question went. An [encoded](crate::EncodedImage) image carries the time of
/// its preparation and vision into every answer; a batch shares the time of its encoder and decoder.
///
/// # Example
///
/// ```
/// use florence_tasks::{Caption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let timings = florence.run(Caption, &img)?.timings;
/// println!("{:?}, of which {:?} vision", timings.total(), timings.vision);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Timings {
    /// Resizing and normalising the image.
    #[serde(serialize_with = "serialize_ms")]
    pub preprocess: Duration,
    /// The vision tower and projector.
    #[serde(serialize_with = "serialize_ms")]
    pub vision: Duration,
    /// The text encoder.
    #[serde(serialize_with = "serialize_ms")]
    pub encoder: Duration,
    /// The decoder: the search for the answer.
    #[serde(serialize_with = "serialize_ms")]
    pub decode: Duration,
}

impl Timings {
    /// All of it.
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

fn serialize_ms<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1000.0)
}

fn serialize_finish<S: Serializer>(
    finish: &FinishReason,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match finish {
        FinishReason::EndOfSequence => "end_of_sequence",
        FinishReason::MaxNewTokens => "max_new_tokens",
    })
}
