//! Lines of JSON: what `florence run --json` writes. Their fields are fixed: scripts read them.

use std::time::Duration;

use florence_core::image::ImageNote;
use florence_core::{Device, FinishReason};
use florence_postprocess::compat::Value;
use florence_postprocess::{Answer, BBox, Diagnostic, Size};
use serde::{Serialize, Serializer};

use crate::any::AnyOutput;
use crate::cascade::{CascadeAnswer, Cascaded};
use crate::output::{Flavor, Output, Timings};

/// The line of JSON of an answer, as `florence run --json` writes it: the typed answer, the dict of
/// the Python processor, the raw text, token ids, log-probabilities and diagnostics; of a cascade
/// its answer and the output of each step.
///
/// `image` is what the line begins with, a struct or map such as `{"image": "a.jpg"}`, or `()` for
/// nothing.
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
///
/// use florence_tasks::{AnswerLine, Florence, Task};
///
/// let image = image::open("tests/data/scene.png")?;
/// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
/// let line = AnswerLine::new(BTreeMap::from([("image", "scene.png")]), &output);
/// let line = serde_json::to_value(&line)?;
/// assert_eq!(line["image"], "scene.png");
/// assert_eq!(line["task"], "<OD>");
/// assert_eq!(line["answer"]["value"].as_array().map(Vec::len), Some(3));
/// assert!(line.get("timings_ms").is_none()); // see `AnswerLine::run`
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnswerLine<'a, I> {
    image: I,
    output: &'a AnyOutput,
    flavor: Flavor,
    run: Option<(Duration, Device)>,
    input: Option<&'a str>,
    region: Option<BBox>,
}

impl<'a, I> AnswerLine<'a, I> {
    /// The line of this answer, with the dict of `transformers`, and nothing that differs from run
    /// to run.
    ///
    /// # Example
    ///
    /// See [`AnswerLine`].
    pub fn new(image: I, output: &'a AnyOutput) -> Self {
        Self {
            image,
            output,
            flavor: Flavor::Transformers,
            run: None,
            input: None,
            region: None,
        }
    }

    /// The Python processor whose dict is the field `reference`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerLine, Flavor, Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// let line = serde_json::to_value(AnswerLine::new((), &output).flavor(Flavor::Microsoft))?;
    /// assert!(line["reference"]["<OD>"]["bboxes"][0][0].is_f64());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn flavor(self, flavor: Flavor) -> Self {
        Self { flavor, ..self }
    }

    /// The time of loading the model and its device: with them the line has the fields `timings_ms`
    /// and `device`.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use florence_tasks::{AnswerLine, Device, Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// let line = AnswerLine::new((), &output).run(Duration::from_millis(5), Device::Cpu);
    /// let line = serde_json::to_value(line)?;
    /// assert_eq!(line["timings_ms"]["load"], 5.0);
    /// assert_eq!(line["device"], "cpu");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn run(self, load: Duration, device: Device) -> Self {
        Self {
            run: Some((load, device)),
            ..self
        }
    }

    /// The text and the region (pixels of the original image) of the question, as the fields `input`
    /// and `region`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerLine, AnyTask, Florence};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let task = "phrase_grounding".parse::<AnyTask>()?.with_input(Some("a brown star"), None);
    /// let output = Florence::nano()?.run_any(&task, &image)?;
    /// let line = AnswerLine::new((), &output).question(Some("a brown star"), None);
    /// assert_eq!(serde_json::to_value(line)?["input"], "a brown star");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn question(self, text: Option<&'a str>, region: Option<BBox>) -> Self {
        Self {
            input: text,
            region,
            ..self
        }
    }
}

impl<I: Serialize> Serialize for AnswerLine<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = match self.output {
            AnyOutput::Task(output) => Line::Task(self.task(output)),
            AnyOutput::Cascade(name, output) => Line::Cascade(self.cascade(name.name(), output)),
        };
        let line = WithInput {
            line,
            input: self.input,
            region: self.region.map(|BBox { x1, y1, x2, y2 }| [x1, y1, x2, y2]),
        };
        line.serialize(serializer)
    }
}

impl<I> AnswerLine<'_, I> {
    fn task<'s>(&'s self, output: &'s Output<Answer>) -> TaskLine<'s, I> {
        TaskLine {
            image: &self.image,
            width: output.size.width,
            height: output.size.height,
            task: &output.task,
            text: &output.raw_text,
            token_ids: &output.token_ids,
            logprobs: &output.logprobs,
            answer: &output.value,
            reference: output.to_reference_json(self.flavor),
            timings_ms: self.milliseconds(output.timings),
            device: self.device(),
            diagnostics: &output.diagnostics,
            image_notes: &output.image_notes,
        }
    }

    fn cascade<'s>(
        &'s self,
        name: &'s str,
        output: &'s Cascaded<CascadeAnswer>,
    ) -> CascadeLine<'s, I> {
        CascadeLine {
            image: &self.image,
            width: output.size.width,
            height: output.size.height,
            task: name,
            answer: &output.value,
            steps: output.steps.iter().map(|step| self.step(step)).collect(),
            timings_ms: self.milliseconds(output.timings),
            device: self.device(),
            image_notes: &output.image_notes,
        }
    }

    fn step<'s>(&self, output: &'s Output<Answer>) -> Step<'s> {
        Step {
            value: &output.value,
            task: &output.task,
            size: output.size,
            raw_text: &output.raw_text,
            token_ids: &output.token_ids,
            logprobs: &output.logprobs,
            score: output.score,
            finish: output.finish,
            diagnostics: &output.diagnostics,
            image_notes: &output.image_notes,
            timings_ms: self.run.map(|_| output.timings),
        }
    }

    fn milliseconds(&self, timings: Timings) -> Option<Milliseconds> {
        self.run.map(|(load, _)| Milliseconds::new(load, timings))
    }

    fn device(&self) -> Option<String> {
        self.run.map(|(_, device)| device.to_string())
    }
}

/// The line of JSON of an image, or of a question about it, that has no answer.
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
///
/// use florence_tasks::ErrorLine;
///
/// let line = ErrorLine::new(BTreeMap::from([("image", "a.jpg")]), "a.jpg: no such file");
/// assert_eq!(serde_json::to_string(&line)?, r#"{"image":"a.jpg","error":"a.jpg: no such file"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct ErrorLine<I> {
    #[serde(flatten)]
    image: I,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    error: String,
}

impl<I> ErrorLine<I> {
    /// The line of this error; `image` as in [`AnswerLine`].
    ///
    /// # Example
    ///
    /// See [`ErrorLine`].
    pub fn new(image: I, error: impl Into<String>) -> Self {
        Self {
            image,
            task: None,
            error: error.into(),
        }
    }

    /// The task of the question that has no answer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::ErrorLine;
    ///
    /// let line = ErrorLine::new((), "a region is missing").task("<REGION_TO_OCR>");
    /// let line = serde_json::to_string(&line)?;
    /// assert_eq!(line, r#"{"task":"<REGION_TO_OCR>","error":"a region is missing"}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn task(self, task: impl Into<String>) -> Self {
        Self {
            task: Some(task.into()),
            ..self
        }
    }
}

/// A line with the input of its question.
#[derive(Serialize)]
struct WithInput<'a, I> {
    #[serde(flatten)]
    line: Line<'a, I>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<[f32; 4]>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a, I> {
    Task(TaskLine<'a, I>),
    Cascade(CascadeLine<'a, I>),
}

#[derive(Serialize)]
struct TaskLine<'a, I> {
    #[serde(flatten)]
    image: &'a I,
    width: u32,
    height: u32,
    task: &'a str,
    text: &'a str,
    token_ids: &'a [u32],
    logprobs: &'a [f32],
    answer: &'a Answer,
    reference: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Milliseconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    diagnostics: &'a [Diagnostic],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    image_notes: &'a [ImageNote],
}

#[derive(Serialize)]
struct CascadeLine<'a, I> {
    #[serde(flatten)]
    image: &'a I,
    width: u32,
    height: u32,
    task: &'a str,
    answer: &'a CascadeAnswer,
    steps: Vec<Step<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Milliseconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    image_notes: &'a [ImageNote],
}

/// An [`Output`] whose timings may be left out.
#[derive(Serialize)]
struct Step<'a> {
    value: &'a Answer,
    task: &'a str,
    size: Size,
    raw_text: &'a str,
    token_ids: &'a [u32],
    logprobs: &'a [f32],
    score: f32,
    finish: FinishReason,
    diagnostics: &'a [Diagnostic],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    image_notes: &'a [ImageNote],
    #[serde(skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Timings>,
}

#[derive(Serialize)]
struct Milliseconds {
    load: f64,
    preprocess: f64,
    vision: f64,
    encoder: f64,
    decode: f64,
}

impl Milliseconds {
    fn new(load: Duration, timings: Timings) -> Self {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        Self {
            load: ms(load),
            preprocess: ms(timings.preprocess),
            vision: ms(timings.vision),
            encoder: ms(timings.encoder),
            decode: ms(timings.decode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnyTask, Florence};

    #[test]
    fn steps_are_outputs_and_their_timings_come_with_the_run() {
        let image = image::open("tests/data/scene.png").unwrap();
        let task: AnyTask = "caption_and_ground".parse().unwrap();
        let output = Florence::nano().unwrap().run_any(&task, &image).unwrap();
        let AnyOutput::Cascade(_, cascaded) = &output else {
            unreachable!("it is a cascade")
        };
        let line = AnswerLine::new((), &output).run(Duration::ZERO, Device::Cpu);
        let timed = serde_json::to_string(&line).unwrap();
        let steps = serde_json::to_string(&cascaded.steps).unwrap();
        assert!(timed.contains(&steps), "{timed}");
        let untimed = serde_json::to_string(&AnswerLine::new((), &output)).unwrap();
        assert!(!untimed.contains("timings"), "{untimed}");
        assert!(untimed.contains("\"steps\":[{\"value\":"), "{untimed}");
    }
}
