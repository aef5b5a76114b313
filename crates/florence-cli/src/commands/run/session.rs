//! Asks the model about all images of a call.

use std::path::Path;
use std::time::Duration;

use florence_core::GenerationConfig;
use florence_core::image::{ImageFile, ImageOptions};
use florence_tasks::{AnyOutput, Device, EncodedImage, Florence, PreparedImage};
use image::DynamicImage;

use super::ahead::read_ahead;
use super::answered::Sinks;
use super::asked::Asked;
use super::interrupt::Interrupt;
use super::line::line;
use super::readable::{heading, readable};
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::image_name::ImageName;

/// Questions that are answered in one batch.
const QUESTIONS: usize = 32;

/// What all images of a call share.
pub(super) struct Session<'a> {
    pub(super) load: Duration,
    pub(super) florence: Florence,
    pub(super) options: GenerationConfig,
    pub(super) asked: Vec<Asked>,
    pub(super) interrupt: Interrupt,
    pub(super) args: &'a RunArgs,
}

/// An image and the questions about it that have no answer yet.
struct Job<'a> {
    path: &'a Path,
    asked: Vec<&'a Asked>,
}

/// An image that was read, and its pixels if they are drawn on.
type Read = (PreparedImage, Option<DynamicImage>);

/// The answers of an image, in the order of its questions.
type Answers<'a> = Vec<(&'a Asked, Result<AnyOutput, Failure>)>;

/// The jobs of a batch, each with what was made of its image.
type Batch<'j, T> = Vec<(&'j Job<'j>, Result<T, Failure>)>;

impl Session<'_> {
    /// Answers all images. A failed image does not stop the others, nor a failed file the answers.
    pub(super) fn answer_all(&self, sinks: &mut Sinks<'_>) -> Result<(), Failure> {
        let jobs = self.jobs(sinks);
        std::thread::scope(|scope| {
            let batches = jobs.chunks(self.batch()).map(|jobs| jobs.iter().collect());
            let read = read_ahead(scope, batches, |job: &Job<'_>| self.read(job.path));
            for batch in read {
                if self.interrupt.code().is_some() {
                    break;
                }
                for (job, answered) in self.answer(batch) {
                    match answered {
                        Ok((image, answers)) => self.write(job, image.as_ref(), answers, sinks)?,
                        Err(failure) => sinks.no_answers(job.path, failure)?,
                    }
                }
            }
            Ok(())
        })
    }

    /// The images with something left to do.
    fn jobs<'s>(&'s self, sinks: &mut Sinks<'_>) -> Vec<Job<'s>> {
        let mut jobs = Vec::new();
        for path in &self.args.images {
            let asked = self.asked.iter().filter(|asked| !sinks.have(path, asked));
            let asked: Vec<&Asked> = asked.collect();
            if asked.is_empty() {
                sinks.progress.skip();
            } else {
                jobs.push(Job { path, asked });
            }
        }
        jobs
    }

    /// Images per batch.
    fn batch(&self) -> usize {
        let default = match self.florence.model().device() {
            Device::Cpu => 1,
            _ => 8,
        };
        self.args.batch.map_or(default, usize::from)
    }

    /// Answers the questions about the images of a batch; answers or a failure for each image.
    fn answer<'j>(&self, batch: Batch<'j, Read>) -> Batch<'j, (Option<DynamicImage>, Answers<'j>)> {
        let prepared = batch.iter().filter_map(|(_, read)| read.as_ref().ok());
        let prepared: Vec<&PreparedImage> = prepared.map(|(prepared, _)| prepared).collect();
        let mut encoded = self.florence.encode_batch(&prepared).into_iter();
        let mut images = Vec::new();
        for (job, read) in batch {
            let image = read.and_then(|(_, pixels)| {
                let encoded = encoded
                    .next()
                    .ok_or_else(|| Failure::Other("an image got lost".to_owned()))?;
                let encoded = encoded.map_err(|error| Failure::from(error).about(job.path))?;
                Ok((pixels, encoded))
            });
            images.push((job, image));
        }
        let mut outputs = self.ask(&images).into_iter();
        let answered = images.into_iter().map(|(job, image)| {
            let answered = image.map(|(pixels, _)| {
                let answers = job.asked.iter().zip(outputs.by_ref());
                let answers = answers.map(|(asked, output)| {
                    (
                        *asked,
                        output.map_err(|error| Failure::from(error).about(job.path)),
                    )
                });
                (pixels, answers.collect())
            });
            (job, answered)
        });
        answered.collect()
    }

    /// The answers to all questions about all images that could be encoded, in order.
    fn ask(
        &self,
        images: &Batch<'_, (Option<DynamicImage>, EncodedImage)>,
    ) -> Vec<florence_tasks::Result<AnyOutput>> {
        let encoded = images
            .iter()
            .filter_map(|(job, image)| Some((job, image.as_ref().ok()?)));
        let questions: Vec<_> = encoded
            .flat_map(|(job, (_, encoded))| {
                job.asked.iter().map(move |asked| (&asked.task, encoded))
            })
            .collect();
        let batches = questions.chunks(QUESTIONS);
        batches
            .flat_map(|batch| {
                self.florence
                    .run_any_batch(batch.iter().copied(), &self.options)
            })
            .collect()
    }

    /// The prepared image, and the decoded one if it is to be drawn on.
    fn read(&self, path: &Path) -> Result<Read, Failure> {
        let options = ImageOptions::new()
            .apply_exif_orientation(self.args.exif_orientation)
            .max_pixels(u64::from(self.args.max_megapixels) * 1_000_000);
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

    fn write(
        &self,
        job: &Job<'_>,
        image: Option<&DynamicImage>,
        answers: Answers<'_>,
        sinks: &mut Sinks<'_>,
    ) -> Result<(), Failure> {
        let mut failures = Vec::new();
        for (asked, output) in answers {
            let asked_of = (self.asked.len() > 1).then_some(asked);
            match output {
                Ok(mut output) => {
                    sinks.filter(&mut output);
                    let text = self.text(job.path, asked, &output)?;
                    failures.extend(sinks.answer((job.path, asked), &text, &output, image)?);
                }
                Err(failure) => failures.push(sinks.no_answer(job.path, asked_of, failure)?),
            }
        }
        sinks.finish_image(job.path, failures)
    }

    fn text(&self, path: &Path, asked: &Asked, output: &AnyOutput) -> Result<String, Failure> {
        let image = ImageName(path);
        if self.args.writes_json() {
            let device = self.florence.model().device();
            return line(image, (self.load, device), asked, output, self.args);
        }
        let several: (bool, bool) = (self.args.images.len() > 1, self.asked.len() > 1);
        Ok(readable(heading(image, asked, several), output))
    }
}
