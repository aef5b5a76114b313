//! `florence run`: tasks and cascades on images.

mod ahead;
mod annotate;
mod answered;
mod asked;
mod captions;
mod classes;
mod demo_notice;
mod drawing;
mod export;
mod filter;
mod frame;
mod interrupt;
mod line;
mod names;
mod no_task;
mod pictures;
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
use self::filter::Filter;
use self::interrupt::Interrupt;
use self::names::Names;
use self::pictures::Pictures;
use self::progress::Progress;
use self::results::Results;
use self::session::Session;
use super::load;
use crate::args::RunArgs;
use crate::export_target::Format;
use crate::failure::Failure;
use crate::images;
use crate::stderr::tell;

pub(crate) fn run(mut args: RunArgs) -> Result<(), Failure> {
    let is_terminal = std::io::stderr().is_terminal();
    no_task::check(&args, is_terminal)?;
    let asked = asked(&args.question)?;
    no_output_among_images(&args)?;
    let own = own_outputs(&args);
    let images = images::expand(&args.images, args.from.as_deref(), !args.no_recursive, &own)?;
    // One that nobody watches image by image.
    let is_bulk = images != args.images || args.output.is_some() || args.has_file_of_each();
    args.images = images;
    let args = &args;
    check_going_on(args)?;
    let filter = Filter::open(args, &asked)?;
    let located = located(args, &asked)?;
    let mut names = Names::default();
    if let Some(task) = located {
        annotate::check(args, task)?;
        names = Names::new(args)?;
        export::check(args, task, &names)?;
    }
    let captions = Captions::open(args, &asked)?;
    let pictures = Pictures::open(args, &names)?;
    let exports = Exports::open(args, located, &names, &filter)?;
    let results = Results::open(args)?;
    let has_bar = is_terminal && (results.is_file() || !std::io::stdout().is_terminal());
    let progress = Progress::new(args.images.len(), is_bulk && !args.quiet, has_bar);
    let mut sinks = Sinks::new(
        args,
        results,
        captions,
        (pictures, exports),
        filter,
        progress,
    )?;

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
    let finished = sinks.finish(session.interrupt.code().is_some());
    answered?;
    let failed = finished?;
    if let Some(code) = session.interrupt.code() {
        let resumes = args.is_resumable();
        return Err(Failure::Interrupted { code, resumes });
    }
    failed.map_or(Ok(()), |failure| Err(Failure::Reported(Box::new(failure))))
}

/// Checks that `--resume` and `--skip-existing` have files to go by.
fn check_going_on(args: &RunArgs) -> Result<(), Failure> {
    let has_files = args.has_file_of_each() || !args.export.is_empty();
    let expected = if args.resume && !args.is_resumable() {
        "--resume: expected --output, "
    } else if args.skip_existing && !has_files {
        "--skip-existing: expected "
    } else {
        return Ok(());
    };
    Err(Failure::Usage(format!(
        "{expected}--captions, --annotate DIR, --overlay or --export, whose files say what is done"
    )))
}

/// The one question whose answers are drawn or exported, if any are.
fn located<'a>(args: &RunArgs, asked: &'a [Asked]) -> Result<Option<&'a AnyTask>, Failure> {
    let given = [
        (!args.export.is_empty(), "--export"),
        (args.annotate.is_some(), "--annotate"),
        (args.overlay.is_some(), "--overlay"),
    ];
    let Some((_, flag)) = given.iter().find(|(is_given, _)| *is_given) else {
        return Ok(None);
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
    let drawn = args.annotate.iter().chain(&args.overlay).cloned();
    exported.chain(drawn).collect()
}

/// Pictures in a folder of images would be images of the next run.
fn no_output_among_images(args: &RunArgs) -> Result<(), Failure> {
    let pictures = args.picture_folders();
    let pictures = pictures.map(|(flag, path)| (format!("{flag} {}", path.display()), path));
    let masks = args
        .export
        .iter()
        .filter(|target| target.format == Format::Masks);
    let masks = masks.map(|target| {
        let path = target.path.as_path();
        (format!("--export masks={}", path.display()), path)
    });
    let folders: Vec<PathBuf> = args
        .images
        .iter()
        .filter(|image| image.is_dir())
        .cloned()
        .collect();
    let mut among = pictures
        .chain(masks)
        .filter(|(_, path)| is_image(path, &folders));
    among.next().map_or(Ok(()), |(flag, path)| {
        Err(Failure::Usage(format!(
            "{flag}: this is a folder of the images, which the pictures would be among: expected another one, such as {}",
            path.join("drawn").display()
        )))
    })
}

/// Whether a path is one of the images, which writing to it would overwrite.
fn is_image(path: &Path, images: &[PathBuf]) -> bool {
    let is_same = |image| same_file::is_same_file(image, path).unwrap_or(false);
    images.iter().any(is_same)
}
