//! One file or folder a command.

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

use florence_tasks::{ErrorKind, Florence};

use crate::args::ModelArgs;
use crate::failure::Failure;

/// The model that `--model` names, on the device of `--device`. A folder that
/// cannot be read is the model's fault, whatever the operating system says; a
/// device or a precision that cannot be had is an argument's.
fn load(args: &ModelArgs) -> Result<Florence, Failure> {
    let builder = args.builder();
    let loaded = match args.folder() {
        Some(folder) => builder.from_dir(folder),
        None => builder.nano(),
    };
    loaded.map_err(|error| match error.kind() {
        ErrorKind::Argument => Failure::Usage(error.to_string()),
        _ => Failure::Model(error.to_string()),
    })
}
