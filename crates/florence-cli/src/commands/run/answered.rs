//! What becomes of an answer: a line, a caption, a drawing, exports.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use florence_tasks::AnyOutput;
use image::DynamicImage;

use super::annotate;
use super::asked::Asked;
use super::captions::Captions;
use super::export::Exports;
use super::filter::Filter;
use super::line::error_line;
use super::pictures::Pictures;
use super::progress::Progress;
use super::results::Results;
use crate::args::{Annotate, RunArgs};
use crate::failure::Failure;
use crate::image_name::ImageName;

/// Everything that answers go to.
pub(super) struct Sinks<'a> {
    args: &'a RunArgs,
    results: Results,
    captions: Option<Captions<'a>>,
    pictures: Pictures<'a>,
    exports: Exports<'a>,
    filter: Filter<'a>,
    errors: Option<File>,
    pub(super) progress: Progress,
    /// The first failure, which decides the exit code.
    failed: Option<Failure>,
}

impl<'a> Sinks<'a> {
    pub(super) fn new(
        args: &'a RunArgs,
        results: Results,
        captions: Option<Captions<'a>>,
        (pictures, exports): (Pictures<'a>, Exports<'a>),
        filter: Filter<'a>,
        progress: Progress,
    ) -> Result<Self, Failure> {
        let errors = args.errors.as_deref().map(|path| {
            let file = File::create(path);
            file.map_err(|error| Failure::Other(format!("--errors {}: {error}", path.display())))
        });
        Ok(Self {
            args,
            results,
            captions,
            pictures,
            exports,
            filter,
            errors: errors.transpose()?,
            progress,
            failed: None,
        })
    }

    /// Whether an earlier run has written all of an answer.
    pub(super) fn have(&mut self, image: &Path, asked: &Asked) -> bool {
        let has_line = self
            .results
            .is_file()
            .then(|| self.results.has(image, asked));
        let has_caption = self.captions.as_ref().map(|captions| captions.has(image));
        let known = [
            has_line,
            has_caption,
            self.pictures.have(image),
            self.exports.have(image),
        ];
        let mut written = known.iter().flatten();
        // The picture of one image is drawn again.
        !matches!(self.args.annotate(), Some(Annotate::File(_)))
            && known.iter().any(Option::is_some)
            && written.all(|has| *has)
    }

    /// Removes the objects of an answer that `--classes` and the like leave out.
    pub(super) fn filter(&mut self, output: &mut AnyOutput) {
        self.filter.apply(output);
    }

    /// Writes an answer; returns what failed.
    ///
    /// # Errors
    ///
    /// When its line cannot be written: nobody would get the others.
    pub(super) fn answer(
        &mut self,
        (image, asked): (&Path, &Asked),
        line: &str,
        output: &AnyOutput,
        pixels: Option<&DynamicImage>,
    ) -> Result<Vec<Failure>, Failure> {
        let printed = if self.results.has(image, asked) {
            Ok(())
        } else {
            self.line(line)
        };
        // Its files are written even if printing failed.
        let drawn = match (self.args.annotate(), pixels) {
            (Some(Annotate::File(picture)), Some(pixels)) => {
                annotate::write(picture, pixels, output)
            }
            _ => Ok(()),
        };
        let captioned = match &mut self.captions {
            Some(captions) if !captions.has(image) => captions.write(image, output),
            _ => Ok(()),
        };
        let mut failures: Vec<Failure> = drawn.err().into_iter().chain(captioned.err()).collect();
        failures.extend(self.pictures.add(image, pixels, output));
        failures.extend(self.exports.add(image, output));
        printed?;
        Ok(failures)
    }

    /// Writes that there is no answer to a question.
    pub(super) fn no_answer(
        &mut self,
        image: &Path,
        asked: Option<&Asked>,
        failure: Failure,
    ) -> Result<Failure, Failure> {
        if self.args.writes_json() {
            self.line(&error_line(ImageName(image), asked, &failure)?)?;
        }
        Ok(failure)
    }

    /// Writes that there are no answers about an image.
    pub(super) fn no_answers(&mut self, image: &Path, failure: Failure) -> Result<(), Failure> {
        let failure = self.no_answer(image, None, failure)?;
        self.finish_image(image, vec![failure])
    }

    /// Counts an image, and reports what failed.
    pub(super) fn finish_image(
        &mut self,
        image: &Path,
        failures: Vec<Failure>,
    ) -> Result<(), Failure> {
        for failure in &failures {
            self.progress.above(|| failure.report());
            if let (Some(file), Some(path)) = (&mut self.errors, &self.args.errors) {
                let line = error_line(ImageName(image), None, failure)?;
                let written = file.write_all(format!("{line}\n").as_bytes());
                written.map_err(|error| {
                    Failure::Other(format!("--errors {}: {error}", path.display()))
                })?;
            }
        }
        self.progress.finish_image(failures.first());
        if self.failed.is_none() {
            self.failed = failures.into_iter().next();
        }
        Ok(())
    }

    /// Finishes the files that all images share; returns the first failure of the images.
    pub(super) fn finish(self, interrupted: bool) -> Result<Option<Failure>, Failure> {
        let finished = self.exports.finish(interrupted);
        self.pictures.report();
        self.filter.report();
        self.progress.finish();
        finished?;
        Ok(self.failed)
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        let results = &mut self.results;
        let mut printed = Ok(());
        self.progress.above(|| printed = results.line(text));
        printed
    }
}
