//! `florence run --captions`: a text file for each image, as training tools read them.

use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use florence_tasks::{AnswerForm, AnyOutput};

use super::asked::Asked;
use super::names::{common_folder, within};
use super::whole;
use crate::args::{CaptionArgs, RunArgs};
use crate::failure::Failure;

/// The caption files of a run.
pub(super) struct Captions<'a> {
    args: &'a RunArgs,
    /// The folder of the files and the folder that the images' names are relative to; `None` for
    /// files beside the images.
    folders: Option<(PathBuf, PathBuf)>,
    /// Which image has written a file.
    written: HashMap<PathBuf, PathBuf>,
}

impl<'a> Captions<'a> {
    /// # Errors
    ///
    /// A question without a text as its answer; files that exist, unless the arguments say what to
    /// do with them.
    pub(super) fn open(args: &'a RunArgs, asked: &[Asked]) -> Result<Option<Self>, Failure> {
        let Some(given) = &args.captions.captions else {
            return Ok(None);
        };
        let usage =
            |problem: String| Failure::Usage(format!("--captions {}: {problem}", given.display()));
        let [asked] = asked else {
            return Err(usage(format!("expected one question, got {}", asked.len())));
        };
        let form = asked.task.form();
        if asked.task.as_task().is_some() && !matches!(form, AnswerForm::Text | AnswerForm::Markup)
        {
            return Err(usage(format!(
                "{} answers with {form}, expected a task that answers with text",
                asked.task
            )));
        }
        let folders = (given != Path::new("beside")).then(|| {
            let root = args.exports.images_root.clone();
            (
                given.clone(),
                root.or_else(|| common_folder(&args.images))
                    .unwrap_or_default(),
            )
        });
        let captions = Self {
            args,
            folders,
            written: HashMap::new(),
        };
        let is_settled = args.overwrite || args.skips_existing() || args.captions.append;
        if !is_settled {
            let mut existing = args
                .images
                .iter()
                .filter(|image| captions.file(image).exists());
            if let Some(first) = existing.next() {
                let (count, first) = (1 + existing.count(), captions.file(first));
                return Err(usage(format!(
                    "caption files that exist: {count}, first {}: --skip-existing keeps them, --overwrite replaces \
                     them, --append adds to them",
                    first.display()
                )));
            }
        }
        Ok(Some(captions))
    }

    /// Whether an image is done.
    pub(super) fn has(&self, image: &Path) -> bool {
        self.args.skips_existing() && self.file(image).exists()
    }

    /// Writes the text of an answer.
    pub(super) fn write(&mut self, image: &Path, answered: &AnyOutput) -> Result<(), Failure> {
        let file = self.file(image);
        let about =
            |problem: String| Failure::Other(format!("--captions {}: {problem}", file.display()));
        if let Some(other) = self.written.get(&file) {
            let other = other.display();
            return Err(about(format!(
                "not written: this is the file of {other}, an image of the same name"
            )));
        }
        let text = answered
            .text()
            .ok_or_else(|| about("not written: the answer has no text".to_owned()))?;
        let CaptionArgs {
            prefix,
            suffix,
            append,
            ..
        } = &self.args.captions;
        let mut caption = format!("{prefix}{}{suffix}", text.trim());
        if *append {
            match fs::read_to_string(&file) {
                Ok(before) if before.trim().is_empty() => (),
                Ok(before) => caption = format!("{}, {caption}", before.trim_end()),
                Err(error) if error.kind() == ErrorKind::NotFound => (),
                Err(error) => return Err(about(error.to_string())),
            }
        }
        whole::with(&file, |file| file.write_all(caption.as_bytes()))
            .map_err(|error| about(error.to_string()))?;
        self.written.insert(file, image.to_owned());
        Ok(())
    }

    fn file(&self, image: &Path) -> PathBuf {
        let Some((folder, root)) = &self.folders else {
            return image.with_extension("txt");
        };
        let inside = image.strip_prefix(root).unwrap_or(image);
        // Never outside of the folder.
        folder.join(within(inside)).with_extension("txt")
    }
}
