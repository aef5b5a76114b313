//! The subcommands, a file or folder each.

mod hub;
mod info;
mod parse;
mod run;
mod serve;
mod sql;
mod tasks;

pub(crate) use hub::{download, models};
pub(crate) use info::info;
pub(crate) use parse::parse;
pub(crate) use run::run;
pub(crate) use serve::serve;
pub(crate) use sql::sql;
pub(crate) use tasks::tasks;

use florence_tasks::{ErrorKind, Florence};

use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::model_name::ModelName;

/// Loads the model of `--model` with its adapters on `--device`. Errors count as model errors (exit code 3), except for
/// a device or precision that is not available, which is a wrong argument.
fn load(args: &ModelArgs) -> Result<Florence, Failure> {
    let builder = args.builder();
    let loaded = match args.model() {
        ModelName::Nano => builder.nano(),
        ModelName::Folder(folder) => builder.from_dir(folder),
        ModelName::Hub { name, revision } => {
            builder.from_dir(hub::folder(&name, revision.as_deref())?)
        }
    };
    loaded.map_err(|error| match error.kind() {
        ErrorKind::Argument => Failure::Usage(error.to_string()),
        _ => Failure::Model(error.to_string()),
    })
}
