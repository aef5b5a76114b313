//! The questions of `florence run`, from its arguments.

use florence_tasks::{AnswerForm, AnyTask, BBox, Error, InputKind, InputProblem};

use crate::args::QuestionArgs;
use crate::failure::Failure;

/// A question about each image.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) task: AnyTask,
    pub(super) text: Option<String>,
    pub(super) region: Option<BBox>,
}

/// The questions in the order of the tasks, and of each task in that of the regions; checked before
/// the model is loaded.
pub(super) fn asked(args: &QuestionArgs) -> Result<Vec<Asked>, Failure> {
    let regions = args.region.iter().map(|text| region(text));
    let regions: Vec<BBox> = regions.collect::<Result<_, _>>()?;
    let tasks = tasks(args)?;
    let alone = tasks.len() == 1;
    for (given, flag, kind) in [
        (args.text.is_some(), "--text", InputKind::Text),
        (!regions.is_empty(), "--region", InputKind::Region),
    ] {
        if given && !alone && !tasks.iter().any(|task| task.takes(kind)) {
            let tasks: Vec<String> = tasks.iter().map(AnyTask::to_string).collect();
            let tasks = tasks.join(" or ");
            return Err(Failure::Usage(format!("{flag}: not taken by {tasks}")));
        }
    }
    let mut asked = Vec::new();
    for task in tasks {
        // Of several tasks, each gets what it takes; alone, what it does not take is an error.
        let text = args
            .text
            .clone()
            .filter(|_| alone || task.takes(InputKind::Text));
        let has_regions = !regions.is_empty() && (alone || task.takes(InputKind::Region));
        let of_task: Vec<Option<BBox>> = match has_regions {
            true => regions.iter().copied().map(Some).collect(),
            false => vec![None],
        };
        for region in of_task {
            let special = args.special_tokens && text.is_some();
            let task = task
                .clone()
                .with_input(text.as_deref(), region)
                .recognize_special_tokens(special);
            task.check().map_err(with_flag)?;
            let text = text.clone();
            asked.push(Asked { task, text, region });
        }
    }
    Ok(asked)
}

fn tasks(args: &QuestionArgs) -> Result<Vec<AnyTask>, Failure> {
    let tasks: Vec<AnyTask> = match &args.prompt {
        Some(prompt) => vec![AnyTask::prompt(prompt)],
        None => {
            let tasks = args.task.iter().map(|name| name.parse());
            let tasks: Result<_, florence_tasks::UnknownAnyTask> = tasks.collect();
            tasks.map_err(|unknown| {
                let marker = unknown.suggestion.filter(|_| unknown.name.starts_with('<'));
                Failure::Usage(match marker {
                    Some(_) => format!("{unknown} --prompt '{}' sends it as it is", unknown.name),
                    None => unknown.to_string(),
                })
            })?
        }
    };
    let tasks = tasks.into_iter().map(|task| match args.answer {
        Some(form) => task.answer(form),
        None => task,
    });
    Ok(tasks.collect())
}

/// The error with the flag that caused it.
fn with_flag(error: Error) -> Failure {
    match error {
        Error::CascadeInput {
            problem: InputProblem::SpecialTokens,
            ..
        } => Failure::Usage(format!("--special-tokens: {error}")),
        Error::KnownForm { .. } => Failure::Usage(format!("--answer: {error}")),
        other => other.into(),
    }
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
