//! The lines of `florence run --json`. Their fields are fixed: scripts read them.

use std::time::Duration;

use florence_core::image::ImageNote;
use florence_postprocess::compat::Value;
use florence_tasks::{
    Answer, AnyOutput, BBox, CascadeAnswer, CascadeName, Cascaded, Device, Diagnostic, Output,
    Timings,
};
use serde::Serialize;

use super::asked::Asked;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::image_name::ImageName;

/// The JSON line of an answer.
pub(super) fn line(
    image: ImageName<'_>,
    (load, device): (Duration, Device),
    asked: &Asked,
    answered: &AnyOutput,
    args: &RunArgs,
) -> Result<String, Failure> {
    let line = match answered {
        AnyOutput::Task(output) => Line::Task(TaskLine::new(image, (load, device), output, args)),
        AnyOutput::Cascade(name, output) => {
            Line::Cascade(CascadeLine::new(image, (load, device), *name, output))
        }
        _ => return Err(Failure::Other("an output of an unknown kind".to_owned())),
    };
    // Alone on stdout, a question is known to who asked it.
    let is_told_apart = args.output.is_some() || args.question.is_several();
    let asked = Some(asked).filter(|_| is_told_apart);
    json(&WithInput {
        line,
        input: asked.and_then(|asked| asked.text.as_deref()),
        region: asked
            .and_then(|asked| asked.region.map(|BBox { x1, y1, x2, y2 }| [x1, y1, x2, y2])),
    })
}

/// A line with the input of its question.
#[derive(Debug, Serialize)]
struct WithInput<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<[f32; 4]>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Task(TaskLine<'a>),
    Cascade(CascadeLine<'a>),
}

/// The JSON line of an image without an answer, to this one of several questions.
pub(super) fn error_line(
    image: ImageName<'_>,
    asked: Option<&Asked>,
    failure: &Failure,
) -> Result<String, Failure> {
    let task = asked.map(|asked| asked.task.to_string());
    let error = failure.to_string();
    json(&ErrorLine { image, task, error })
}

fn json(line: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(line).map_err(|error| Failure::Other(error.to_string()))
}

#[derive(Debug, Serialize)]
struct ErrorLine<'a> {
    #[serde(flatten)]
    image: ImageName<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    error: String,
}

#[derive(Debug, Serialize)]
struct TaskLine<'a> {
    #[serde(flatten)]
    image: ImageName<'a>,
    width: u32,
    height: u32,
    task: &'a str,
    text: &'a str,
    token_ids: &'a [u32],
    logprobs: &'a [f32],
    answer: &'a Answer,
    reference: Value,
    timings_ms: Milliseconds,
    device: String,
    diagnostics: &'a [Diagnostic],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    image_notes: &'a [ImageNote],
}

impl<'a> TaskLine<'a> {
    fn new(
        image: ImageName<'a>,
        (load, device): (Duration, Device),
        output: &'a Output<Answer>,
        args: &RunArgs,
    ) -> Self {
        Self {
            image,
            width: output.size.width,
            height: output.size.height,
            task: &output.task,
            text: &output.raw_text,
            token_ids: &output.token_ids,
            logprobs: &output.logprobs,
            answer: &output.value,
            reference: output.to_reference_json(args.compat.into()),
            timings_ms: Milliseconds::new(load, output.timings),
            device: device.to_string(),
            diagnostics: &output.diagnostics,
            image_notes: &output.image_notes,
        }
    }
}

#[derive(Debug, Serialize)]
struct CascadeLine<'a> {
    #[serde(flatten)]
    image: ImageName<'a>,
    width: u32,
    height: u32,
    task: &'a str,
    answer: &'a CascadeAnswer,
    steps: &'a [Output<Answer>],
    timings_ms: Milliseconds,
    device: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    image_notes: &'a [ImageNote],
}

impl<'a> CascadeLine<'a> {
    fn new(
        image: ImageName<'a>,
        (load, device): (Duration, Device),
        name: CascadeName,
        output: &'a Cascaded<CascadeAnswer>,
    ) -> Self {
        Self {
            image,
            width: output.size.width,
            height: output.size.height,
            task: name.name(),
            answer: &output.value,
            steps: &output.steps,
            timings_ms: Milliseconds::new(load, output.timings),
            device: device.to_string(),
            image_notes: &output.image_notes,
        }
    }
}

#[derive(Debug, Serialize)]
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
