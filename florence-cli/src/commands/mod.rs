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

use florence_tasks::Florence;

use crate::args::ModelArgs;
use crate::failure::Failure;

/// The model that `--model` names. A folder that cannot be read is the model's
/// fault, whatever the operating system says.
fn load(args: &ModelArgs) -> Result<Florence, Failure> {
    let options = args.options();
    let loaded = match args.folder() {
        Some(folder) => Florence::from_dir_with(folder, &options),
        None => Florence::nano_with(&options),
    };
    loaded.map_err(|error| Failure::Model(error.to_string()))
}
