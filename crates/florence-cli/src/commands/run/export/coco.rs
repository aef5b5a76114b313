//! Writes a COCO file. Images are collected in a journal; when the run ends, the file is replaced
//! atomically.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use florence_export::{Categories, CocoSegmentation, CocoWriter, ExportCounts, ImageRecord};
use florence_tasks::AnyTask;
use serde_json::json;

use super::claims::Claim;
use super::export_error;
use super::journal::Journal;
use crate::args::RunArgs;
use crate::commands::run::names::{Name, Names};
use crate::commands::run::whole;
use crate::model_name::ModelName;
use crate::stderr::tell;

pub(super) struct Coco {
    path: PathBuf,
    categories: Categories,
    journal: Journal,
    /// Whether this run added an image, or found one of its own in the journal.
    answered: bool,
    /// Whether an image could not be added.
    incomplete: bool,
}

impl Coco {
    pub(super) fn claims(path: &Path) -> Vec<Claim> {
        let beside = Journal::files(path).into_iter();
        let files = beside.chain([path.to_owned()]);
        files.map(Claim::File).collect()
    }

    pub(super) fn open(
        path: &Path,
        args: &RunArgs,
        task: &AnyTask,
        names: &Names,
        classes: Option<&[String]>,
    ) -> Result<Self, String> {
        // Runs that differ in any of this must not share a file.
        let asked = json!({
            "task": task.to_string(),
            "text": args.question.text,
            "region": args.question.region.first(),
            "special_tokens": args.question.special_tokens,
            "exif_orientation": args.exif_orientation,
            "num_beams": args.num_beams,
            "max_new_tokens": args.max_new_tokens,
            "precision": format!("{:?}", args.model.precision),
            "model": match args.model.model() {
                ModelName::Nano => None,
                ModelName::Folder(folder) => {
                    let place = std::fs::canonicalize(&folder).unwrap_or(folder);
                    Some(place.to_string_lossy().into_owned())
                }
                hub => Some(hub.to_string()),
            },
            "adapters": args.model.adapters.iter().map(|dir| dir.to_string_lossy()).collect::<Vec<_>>(),
            "processor": args.model.processor.as_ref().map(|place| place.to_string_lossy()),
            "image_size": args.model.image_size.map(|size| size.to_string()),
            "answer": args.question.answer.map(|form| form.as_str()),
            "min_confidence": args.filters.min_confidence,
            "nms": args.filters.nms,
            "classes": classes,
            "images_root": names.root().to_string_lossy(),
        });
        let journal = Journal::open(path, asked)?;
        if let Some(left) = journal.path().filter(|_| journal.images() > 0) {
            let note = format!(
                "resuming from {} images that an unfinished run left in {}",
                journal.images(),
                left.display()
            );
            tell(export_error(path, note));
        }
        Ok(Self {
            path: path.to_owned(),
            categories: classes.map_or_else(Categories::open, |classes| {
                Categories::closed(classes.iter().cloned())
            }),
            journal,
            answered: false,
            incomplete: false,
        })
    }

    /// Whether an unfinished run has left this image.
    pub(super) fn has(&mut self, name: &Name) -> bool {
        let has = self.journal.has(name);
        self.answered |= has;
        has
    }

    pub(super) fn add(&mut self, record: &ImageRecord) -> Result<(), String> {
        let added = self.journal.add(record);
        self.answered |= added.is_ok();
        self.incomplete |= added.is_err();
        added
    }

    /// Without an answered image the file is not touched. The journal of a run that was interrupted
    /// stays beside the file, for `--resume`.
    pub(super) fn finish(self, interrupted: bool) -> Result<ExportCounts, String> {
        if !self.answered {
            return Ok(ExportCounts::default());
        }
        if let Some(journal) = self.journal.path().filter(|_| self.incomplete) {
            return Err(format!(
                "not replaced, since an answer could not be written; the other answers are in {}",
                journal.display()
            ));
        }
        let mut counts = ExportCounts::default();
        let written = whole::with(&self.path, |file| {
            let file = BufWriter::new(file);
            let form = CocoSegmentation::Polygons;
            let mut writer = CocoWriter::with_categories(file, form, self.categories)?;
            self.journal
                .each(|record| writer.write_image(record).map(drop))?;
            counts = writer.counts();
            writer.finish().map(drop)
        });
        if let Err(error) = written {
            return Err(match self.journal.path() {
                None => error.to_string(),
                Some(journal) => format!(
                    "{error}; the answers are in {}: run the same command on the remaining images to add to them",
                    journal.display()
                ),
            });
        }
        if !interrupted {
            self.journal.remove().map_err(|error| error.to_string())?;
        }
        Ok(counts)
    }
}
