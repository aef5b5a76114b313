//! The lines of `florence run --json`: [`AnswerLine`] and [`ErrorLine`], with the name of the image.

use std::time::Duration;

use florence_tasks::{AnswerLine, AnyOutput, Device, ErrorLine};
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
    let line = AnswerLine::new(image, answered)
        .flavor(args.compat.into())
        .run(load, device);
    // Alone on stdout, a question is known to who asked it.
    let is_told_apart = args.output.is_some() || args.question.is_several();
    json(&match is_told_apart {
        true => line.question(asked.text.as_deref(), asked.region),
        false => line,
    })
}

/// The JSON line of an image without an answer, to this one of several questions.
pub(super) fn error_line(
    image: ImageName<'_>,
    asked: Option<&Asked>,
    failure: &Failure,
) -> Result<String, Failure> {
    let line = ErrorLine::new(image, failure.to_string());
    json(&match asked {
        Some(asked) => line.task(asked.task.to_string()),
        None => line,
    })
}

fn json(line: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(line).map_err(|error| Failure::Other(error.to_string()))
}
