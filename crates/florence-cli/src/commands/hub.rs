//! Checkpoints of the hub: `florence models`, `florence download`, and those that `--model` names.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use florence_core::hub::{self, DownloadProgress, HubOptions, Part};
use indicatif::ProgressBar;

use crate::args::DownloadArgs;
use crate::bar::bar;
use crate::failure::Failure;
use crate::stderr::tell;

/// The checkpoints that Microsoft has published, with the size of their weights.
const PUBLISHED: [(&str, &str, &str); 4] = [
    (
        "microsoft/Florence-2-base",
        "463 MB",
        "0.23 billion parameters",
    ),
    (
        "microsoft/Florence-2-base-ft",
        "463 MB",
        "fine-tuned on many tasks: the usual choice on a CPU",
    ),
    (
        "microsoft/Florence-2-large",
        "1554 MB",
        "0.77 billion parameters",
    ),
    (
        "microsoft/Florence-2-large-ft",
        "1541 MB",
        "fine-tuned on many tasks: the most accurate",
    ),
];

/// `florence models`.
pub(crate) fn models() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:30} {:>8}  {:7} {:6}  for",
        "name", "size", "license", "cached"
    )?;
    writeln!(
        out,
        "{:30} {:>8}  {:7} {:6}  trying: colored shapes and printed words",
        "nano", "7 MB", "MIT", "yes"
    )?;
    let options = HubOptions::from_env().offline(true);
    for (name, size, about) in PUBLISHED {
        let cached = if hub::download(name, &options).is_ok() {
            "yes"
        } else {
            "no"
        };
        writeln!(out, "{name:30} {size:>8}  {:7} {cached:6}  {about}", "MIT")?;
    }
    writeln!(
        out,
        "\nOthers that work: florence-community/Florence-2-* and fine-tunes of all of these. `--model NAME` downloads a \
         model before its first use, `florence download NAME` does nothing else."
    )?;
    Ok(())
}

/// `florence download`: prints the folder.
pub(crate) fn download(args: &DownloadArgs) -> Result<(), Failure> {
    if !hub::is_repo_id(&args.name) {
        return Err(Failure::Usage(format!(
            "{:?}: expected the name of a model on the hub, owner/name or owner/name@revision",
            args.name
        )));
    }
    let folder =
        hub::download(&args.name, &options()).map_err(|error| Failure::Model(error.to_string()))?;
    writeln!(std::io::stdout().lock(), "{}", folder.display())?;
    Ok(())
}

/// The folder that was given, or that of a model or adapter on the hub, downloaded unless it is in the cache.
pub(super) fn locate(given: &OsStr, part: Part) -> Result<PathBuf, Failure> {
    hub::locate(given, part, &options()).map_err(|error| {
        Failure::Model(format!(
            "{}: no such folder; on the Hugging Face hub: {error}",
            given.display()
        ))
    })
}

/// The options of the environment, with progress on stderr.
fn options() -> HubOptions {
    let progress = Mutex::new(Files::default());
    HubOptions::from_env().progress(move |part| {
        if let Ok(mut files) = progress.lock() {
            files.report(&part);
        }
    })
}

/// A bar for each file; without a terminal a line for each.
#[derive(Default)]
struct Files(HashMap<String, ProgressBar>);

impl Files {
    fn report(&mut self, part: &DownloadProgress<'_>) {
        let bar = self
            .0
            .entry(part.file.to_owned())
            .or_insert_with(|| started(part));
        // What an earlier attempt has left counts as done, not as fast.
        if bar.position() == 0 && part.done < part.total {
            bar.reset_eta();
        }
        bar.set_position(part.done);
        if part.done >= part.total {
            bar.finish();
        }
    }
}

fn started(part: &DownloadProgress<'_>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        tell(format_args!(
            "downloading {} ({} MB)",
            part.file,
            (part.total + 500_000) / 1_000_000
        ));
        return ProgressBar::hidden();
    }
    let template = "{msg:25} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    bar(part.total, template).with_message(part.file.to_owned())
}
