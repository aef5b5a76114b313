//! `florence run`: one task or cascade on images.

mod annotate;
mod asked;
mod demo_notice;
mod export;
mod frame;
mod interrupt;
mod line;
mod readable;

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use florence_core::GenerationConfig;
use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::{AnyOutput, AnyTask, Device, Florence, PreparedImage};
use image::DynamicImage;

use self::asked::asked;
use self::export::Exports;
use self::interrupt::Interrupt;
use self::line::{error_line, line};
use self::readable::readable;
use super::load;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::image_name::ImageName;
use crate::stderr::tell;

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let task = asked(args)?;
    annotate::check(args, &task)?;
    export::check(args, &task)?;
    let mut exports = Exports::open(args, &task)?;

    let start = Instant::now();
    let florence = load(&args.model)?;
    let load = start.elapsed();
    if let Some(notice) = demo_notice::notice(args, std::io::stderr().is_terminal()) {
        tell(notice);
    }
    let options = florence.generation().clone();
    let num_beams = args.num_beams.unwrap_or(options.get_num_beams());
    let max_new_tokens = args.max_new_tokens.unwrap_or(options.get_max_new_tokens());
    let session = Session {
        load,
        options: options.num_beams(num_beams).max_new_tokens(max_new_tokens),
        florence,
        task,
        interrupt: if args.export.is_empty() {
            Interrupt::ignored()
        } else {
            Interrupt::handled()?
        },
        args,
    };
    let answered = session.answer_all(&mut exports);
    // Finished also if stdout was closed.
    let finished = exports.finish();
    let failed = answered?;
    finished?;
    if let Some(code) = session.interrupt.code() {
        return Err(Failure::Interrupted(code));
    }
    failed.map_or(Ok(()), |failure| Err(Failure::Reported(Box::new(failure))))
}

/// What all images of a call share.
struct Session<'a> {
    load: Duration,
    florence: Florence,
    options: GenerationConfig,
    task: AnyTask,
    interrupt: Interrupt,
    args: &'a RunArgs,
}

impl Session<'_> {
    /// Answers all images; returns the first failure.
    fn answer_all(&self, exports: &mut Exports) -> Result<Option<Failure>, Failure> {
        let mut out = Output {
            to: Some(std::io::stdout().lock()),
            may_close: !self.args.export.is_empty() || self.args.annotate.is_some(),
        };
        let mut failed = None;
        for paths in self.args.images.chunks(self.batch()) {
            if self.interrupt.code().is_some() {
                break;
            }
            for (path, answered) in paths.iter().zip(self.answer(paths)) {
                // A failed image does not stop the others, nor a failed file the answer.
                let failures = match answered {
                    Ok((image, answered)) => {
                        let printed = out.line(&self.text(path, &answered)?);
                        // Its files are written even if printing failed.
                        let failures = self.write_files(path, image.as_ref(), &answered, exports);
                        printed?;
                        failures
                    }
                    Err(failure) => {
                        if self.args.json {
                            out.line(&error_line(ImageName(path), &failure)?)?;
                        }
                        vec![failure]
                    }
                };
                for failure in failures {
                    failure.report();
                    failed.get_or_insert(failure);
                }
            }
        }
        Ok(failed)
    }

    /// Images per batch.
    fn batch(&self) -> usize {
        let default = match self.florence.model().device() {
            Device::Cpu => 1,
            _ => 8,
        };
        self.args.batch.map_or(default, usize::from)
    }

    /// Answers images as a batch; an answer or a failure for each.
    fn answer(&self, paths: &[PathBuf]) -> Vec<Result<(Option<DynamicImage>, AnyOutput), Failure>> {
        let read: Vec<_> = paths.iter().map(|path| self.read(path)).collect();
        let prepared = read.iter().filter_map(|read| read.as_ref().ok());
        let prepared: Vec<&PreparedImage> = prepared.map(|(prepared, _)| prepared).collect();
        let answers = self
            .florence
            .run_any_batch(&self.task, &prepared, &self.options);
        let mut answers = answers.into_iter();
        let all = paths
            .iter()
            .zip(read)
            .filter_map(|(path, read)| match read {
                Ok((_, image)) => answers.next().map(|answered| {
                    let answered = answered.map_err(|error| Failure::from(error).about(path))?;
                    Ok((image, answered))
                }),
                Err(failure) => Some(Err(failure)),
            });
        all.collect()
    }

    /// The prepared image, and the decoded one if it is to be drawn on.
    fn read(&self, path: &Path) -> Result<(PreparedImage, Option<DynamicImage>), Failure> {
        let options = ImageOptions::new()
            .apply_exif_orientation(self.args.exif_orientation)
            .max_pixels(self.max_pixels());
        let file = ImageFile::open(path, &options).map_err(|error| self.unread(&error))?;
        let prepared = self.florence.prepare_file(&file);
        let prepared = prepared.map_err(|error| Failure::from(error).about(path))?;
        let image = self.args.annotate.is_some().then_some(file.image);
        Ok((prepared, image))
    }

    /// Why an image cannot be read, with the option if its limit was exceeded.
    fn unread(&self, error: &florence_core::Error) -> Failure {
        let is_limit = matches!(error, florence_core::Error::ImageTooLarge { .. });
        Failure::Input(if is_limit {
            let megapixels = self.args.max_megapixels;
            format!("{error} (the limit set by --max-megapixels {megapixels})")
        } else {
            error.to_string()
        })
    }

    fn max_pixels(&self) -> u64 {
        u64::from(self.args.max_megapixels) * 1_000_000
    }

    fn text(&self, path: &Path, answered: &AnyOutput) -> Result<String, Failure> {
        let image = ImageName(path);
        if self.args.json {
            let device = self.florence.model().device();
            line(image, (self.load, device), answered, self.args)
        } else {
            Ok(readable(image, answered, self.args.images.len() > 1))
        }
    }

    /// Writes the drawing and the exports of an answer; returns the failures.
    fn write_files(
        &self,
        path: &Path,
        image: Option<&DynamicImage>,
        answered: &AnyOutput,
        exports: &mut Exports,
    ) -> Vec<Failure> {
        let drawn = match (&self.args.annotate, image) {
            (Some(picture), Some(image)) => annotate::write(picture, image, answered),
            _ => Ok(()),
        };
        drawn
            .err()
            .into_iter()
            .chain(exports.add(path, answered))
            .collect()
    }
}

/// Stdout.
struct Output<'a> {
    to: Option<std::io::StdoutLock<'a>>,
    /// Whether to go on after stdout was closed, because answers go to files too.
    may_close: bool,
}

impl Output<'_> {
    fn line(&mut self, text: &str) -> Result<(), Failure> {
        let Some(to) = &mut self.to else {
            return Ok(());
        };
        match writeln!(to, "{text}") {
            Err(error) if self.may_close && error.kind() == ErrorKind::BrokenPipe => {
                self.to = None;
                Ok(())
            }
            written => Ok(written?),
        }
    }
}

/// Whether a path is one of the images, which writing to it would overwrite.
fn is_image(path: &Path, images: &[PathBuf]) -> bool {
    let is_same = |image| same_file::is_same_file(image, path).unwrap_or(false);
    images.iter().any(is_same)
}
