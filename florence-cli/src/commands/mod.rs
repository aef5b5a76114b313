//! One file a command.

mod annotate;
pub(crate) mod export;
mod info;
mod parse;
mod run;
mod serve;
mod tasks;

pub(crate) use info::info;
pub(crate) use parse::parse;
pub(crate) use run::run;
pub(crate) use serve::serve;
pub(crate) use tasks::tasks;

use std::path::{Path, PathBuf};

use florence_tasks::{AnswerForm, Florence, Task};

use crate::args::ModelArgs;
use crate::failure::Failure;

/// The model that `--model` names. A folder that cannot be read is the model's
/// fault, whatever the operating system says.
fn load(args: &ModelArgs) -> Result<Florence, Failure> {
    let options = args.options();
    let loaded = if args.model == "nano" {
        Florence::nano_with(&options)
    } else {
        Florence::from_dir_with(&args.model, &options)
    };
    loaded.map_err(|error| Failure::Model(error.to_string()))
}

/// Why an answer to a task cannot be drawn or exported, if it cannot.
fn no_place(task: Task) -> Option<String> {
    let is_text = task.form() == AnswerForm::Text;
    is_text.then(|| format!("{task} answers with text, which has no place in the image"))
}

/// Whether writing to a path would write over one of the images; a file that does not exist is none
/// of them.
fn is_image(path: &Path, images: &[PathBuf]) -> bool {
    let is_same = |image| same_file::is_same_file(image, path).unwrap_or(false);
    images.iter().any(is_same)
}
