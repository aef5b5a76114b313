//! The task of `florence run`, from its arguments.

use florence_tasks::{AnswerForm, AnyTask, BBox, Error, InputProblem};

use crate::args::RunArgs;
use crate::failure::Failure;

/// The task or cascade with its text and region, checked before the model is loaded.
pub(super) fn asked(args: &RunArgs) -> Result<AnyTask, Failure> {
    let region = args.region.as_deref().map(region).transpose()?;
    let task: Result<AnyTask, _> = args.task.parse();
    let task = task.map_err(|unknown| Failure::Usage(unknown.to_string()))?;
    let task = task
        .with_input(args.text.as_deref(), region)
        .recognize_special_tokens(args.special_tokens);
    task.check().map_err(|error| match error {
        Error::CascadeInput {
            problem: InputProblem::SpecialTokens,
            ..
        } => Failure::Usage(format!("--special-tokens: {error}")),
        other => other.into(),
    })?;
    Ok(task)
}

/// Why an answer cannot be drawn or exported, if it cannot.
pub(super) fn no_location(task: &AnyTask) -> Option<String> {
    let is_text = task.form() == AnswerForm::Text;
    is_text.then(|| format!("{task} answers with text, which has no location in the image"))
}

fn region(text: &str) -> Result<BBox, Failure> {
    let numbers = text
        .split(',')
        .map(|number| number.trim().parse::<f32>())
        .collect::<Result<Vec<_>, _>>();
    match numbers.as_deref() {
        Ok(&[x1, y1, x2, y2]) => Ok(BBox { x1, y1, x2, y2 }),
        _ => Err(Failure::Usage(format!(
            "--region {text:?}: expected x1,y1,x2,y2, four numbers in pixels of the image"
        ))),
    }
}
