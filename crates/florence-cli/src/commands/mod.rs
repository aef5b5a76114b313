//! The subcommands, a file or folder each.

mod completions;
mod hub;
mod info;
mod man;
mod parse;
mod run;
mod serve;
mod sql;
mod tasks;

pub(crate) use completions::completions;
pub(crate) use hub::{download, models};
pub(crate) use info::info;
pub(crate) use man::man;
pub(crate) use parse::parse;
pub(crate) use run::run;
pub(crate) use serve::serve;
pub(crate) use sql::sql;
pub(crate) use tasks::tasks;

use florence_core::hub::Part;
use florence_tasks::{ErrorKind, Florence};

use crate::args::ModelArgs;
use crate::failure::Failure;

/// Loads the model of `--model` with its adapters and processor on `--device`. Errors count as model errors (exit code
/// 3), except for a device, precision or image size that is not possible, which is a wrong argument.
fn load(args: &ModelArgs) -> Result<Florence, Failure> {
    let mut builder = Florence::builder().device(args.device);
    if let Some(precision) = args.precision {
        builder = builder.precision(precision);
    }
    if let Some(size) = args.image_size {
        builder = builder.image_size(size);
    }
    let mut part = Part::Checkpoint;
    if let Some(processor) = &args.processor {
        builder = builder.processor(hub::locate(processor, Part::Processor)?);
        part = Part::Network;
    }
    for adapter in &args.adapters {
        builder = builder.adapter(hub::locate(adapter, Part::Adapter)?);
    }
    let loaded = match &args.model {
        Some(model) if model != "nano" => builder.from_dir(hub::locate(model, part)?),
        _ => builder.nano(),
    };
    loaded.map_err(|error| match error.kind() {
        ErrorKind::Argument => Failure::Usage(error.to_string()),
        _ => Failure::Model(error.to_string()),
    })
}
