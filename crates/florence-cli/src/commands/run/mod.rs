//! `florence run`: tasks and cascades on images.

mod ahead;
mod annotate;
mod answered;
mod asked;
mod captions;
mod demo_notice;
mod export;
mod frame;
mod interrupt;
mod line;
mod no_task;
mod progress;
mod readable;
mod results;
mod session;
mod whole;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use florence_tasks::AnyTask;

use self::answered::Sinks;
use self::asked::{Asked, asked};
use self::captions::Captions;
use self::export::Exports;
use self::interrupt::Interrupt;
use self::progress::Progress;
use self::results::Results;
use self::session::Session;
use super::load;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::images;
use crate::stderr::tell;

pub(crate) fn run(mut args: RunArgs) -> Result<(), Failure> {
    let is_terminal = std::io::stderr().is_terminal();
    no_task::check(&args, is_terminal)?;
    let asked = asked(&args.question)?;
    let own = own_outputs(&args);
    let images = images::expand(&args.images, args.from.as_deref(), !args.no_recursive, &own)?;
    // One that nobody watches image by image.
    let is_bulk = images != args.images || args.has_resumable_output();
    args.images = images;
    let args = &args;
    if args.resume && !args.has_resumable_output() {
        return Err(Failure::Usage(
            "--resume: expected --output or --captions, whose files say what is done; exports go on by themselves"
                .to_owned(),
        ));
    }
    let located = located(args, &asked)?;
    if let Some(task) = located {
        annotate::check(args, task)?;
        export::check(args, task)?;
    }
    let captions = Captions::open(args, &asked)?;
    let exports = Exports::open(args, located)?;
    let results = Results::open(args)?;
    let has_bar = is_terminal && (results.is_file() || !std::io::stdout().is_terminal());
    let progress = Progress::new(args.images.len(), is_bulk && !args.quiet, has_bar);
    let mut sinks = Sinks::new(args, results, captions, exports, progress)?;

    let start = Instant::now();
    let florence = load(&args.model)?;
    let load = start.elapsed();
    if let Some(notice) = demo_notice::notice(args, is_terminal) {
        tell(notice);
    }
    let options = florence.generation().clone();
    let num_beams = args.num_beams.unwrap_or(options.get_num_beams());
    let max_new_tokens = args.max_new_tokens.unwrap_or(options.get_max_new_tokens());
    let session = Session {
        load,
        options: options.num_beams(num_beams).max_new_tokens(max_new_tokens),
        florence,
        asked,
        interrupt: if is_bulk || !args.export.is_empty() {
            Interrupt::handled()?
        } else {
            Interrupt::ignored()
        },
        args,
    };
    let answered = session.answer_all(&mut sinks);
    // Finished also if stdout was closed.
    let finished = sinks.finish();
    answered?;
    let failed = finished?;
    if let Some(code) = session.interrupt.code() {
        let resumes = args.has_resumable_output();
        return Err(Failure::Interrupted { code, resumes });
    }
    failed.map_or(Ok(()), |failure| Err(Failure::Reported(Box::new(failure))))
}

/// The one question whose answers are drawn or exported, if any are.
fn located<'a>(args: &RunArgs, asked: &'a [Asked]) -> Result<Option<&'a AnyTask>, Failure> {
    let flag = match (args.export.is_empty(), &args.annotate) {
        (true, None) => return Ok(None),
        (false, _) => "--export",
        (true, Some(_)) => "--annotate",
    };
    match asked {
        [asked] => Ok(Some(&asked.task)),
        _ => Err(Failure::Usage(format!(
            "{flag}: expected one question about each image, got {} (one for each --task and --region)",
            asked.len()
        ))),
    }
}

/// Files and folders that the call writes, which are not among the images of a folder.
fn own_outputs(args: &RunArgs) -> Vec<PathBuf> {
    let exported = args.export.iter().map(|target| target.path.clone());
    exported.chain(args.annotate.clone()).collect()
}

/// Whether a path is one of the images, which writing to it would overwrite.
fn is_image(path: &Path, images: &[PathBuf]) -> bool {
    let is_same = |image| same_file::is_same_file(image, path).unwrap_or(false);
    images.iter().any(is_same)
}
