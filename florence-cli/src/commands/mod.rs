//! One file a command.

mod info;
mod parse;
mod run;
mod tasks;

pub(crate) use info::info;
pub(crate) use parse::parse;
pub(crate) use run::run;
pub(crate) use tasks::tasks;

use florence_tasks::Florence;

use crate::failure::Failure;

/// The model that `--model` names. A folder that cannot be read is the model's
/// fault, whatever the operating system says.
fn load(model: &str) -> Result<Florence, Failure> {
    let loaded = if model == "nano" {
        Florence::nano()
    } else {
        Florence::from_dir(model)
    };
    loaded.map_err(|error| Failure::Model(error.to_string()))
}
