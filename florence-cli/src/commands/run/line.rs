//! The lines of `florence run --json`. Their fields are fixed: scripts read them.

use std::path::Path;
use std::time::Duration;

use florence_tasks::{Answer, CascadeAnswer, Cascaded, Diagnostic, Output, Size, Timings};
use serde::Serialize;
use serde_json::Value;

use super::asked::Answered;
use crate::args::RunArgs;
use crate::failure::Failure;

/// The line of an answer.
pub(super) fn line(
    path: &Path,
    load: Duration,
    answered: &Answered,
    args: &RunArgs,
) -> Result<String, Failure> {
    let text = match answered {
        Answered::Task(output) => serde_json::to_string(&TaskLine::new(path, load, output, args)),
        Answered::Cascade(cascade) => serde_json::to_string(&CascadeLine::new(
            path,
            load,
            cascade.name.name(),
            cascade.size,
            &cascade.answer,
        )),
    };
    text.map_err(|error| Failure::Other(error.to_string()))
}

#[derive(Debug, Serialize)]
struct TaskLine<'a> {
    image: &'a Path,
    width: u32,
    height: u32,
    task: &'a str,
    text: &'a str,
    token_ids: &'a [u32],
    logprobs: &'a [f32],
    answer: &'a Answer,
    reference: Value,
    timings_ms: Milliseconds,
    diagnostics: &'a [Diagnostic],
}

impl<'a> TaskLine<'a> {
    fn new(image: &'a Path, load: Duration, output: &'a Output<Answer>, args: &RunArgs) -> Self {
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
            diagnostics: &output.diagnostics,
        }
    }
}

#[derive(Debug, Serialize)]
struct CascadeLine<'a> {
    image: &'a Path,
    width: u32,
    height: u32,
    task: &'a str,
    answer: &'a CascadeAnswer,
    steps: &'a [Output<Answer>],
    timings_ms: Milliseconds,
}

impl<'a> CascadeLine<'a> {
    fn new(
        image: &'a Path,
        load: Duration,
        task: &'a str,
        size: Size,
        answer: &'a Cascaded<CascadeAnswer>,
    ) -> Self {
        Self {
            image,
            width: size.width,
            height: size.height,
            task,
            answer: &answer.value,
            steps: &answer.steps,
            timings_ms: Milliseconds::new(load, answer.timings),
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
