//! `florence run --export`: annotation files and documents.
//!
//! Files are complete at any moment: each is written under a temporary name and then renamed.

mod check;
mod claims;
mod classes;
mod coco;
mod dataset;
mod documents;
mod journal;
mod lock;
mod names;
mod placed;
mod sets;
mod yolo;

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use florence_export::{ExportCounts, ImageRecord};
use florence_postprocess::{Orientation, TextRegion};
use florence_tasks::{AnyOutput, AnyTask};

pub(super) use self::check::check;
use self::coco::Coco;
use self::dataset::Dataset;
use self::documents::Documents;
use self::names::{Name, Names};
pub(super) use self::names::{common_folder, within};
use self::yolo::Yolo;
use super::frame;
use crate::args::RunArgs;
use crate::export_target::{Format, Target};
use crate::failure::Failure;
use crate::stderr::tell;

/// The exports of a run.
pub(super) struct Exports {
    names: Names,
    open: Vec<Export>,
    /// The exported images.
    done: HashSet<PathBuf>,
    /// The label of what the answer does not name.
    default_label: String,
}

struct Export {
    path: PathBuf,
    to: To,
    /// The number of photos with an EXIF orientation.
    with_orientation: usize,
    /// The number of replaced files of earlier runs.
    replaced: usize,
}

enum To {
    Coco(Coco),
    Yolo(Yolo),
    Documents(Documents),
}

/// An image and its annotations, in the upright frame.
struct Item<'a> {
    source: &'a Path,
    name: &'a Name,
    record: ImageRecord,
    lines: Vec<TextRegion>,
}

impl Exports {
    /// Reads existing files and locks those that only one run may write. Changes nothing until the
    /// first image is answered.
    pub(super) fn open(args: &RunArgs, task: Option<&AnyTask>) -> Result<Self, Failure> {
        let Some(task) = task.filter(|_| !args.export.is_empty()) else {
            return Ok(Self {
                names: Names::default(),
                open: Vec::new(),
                done: HashSet::new(),
                default_label: String::new(),
            });
        };
        let names = Names::new(args)?;
        let classes = args.exports.classes.as_deref();
        let classes = classes.map(classes::read).transpose()?;
        let open = args.export.iter().map(|target| {
            let to = To::open(target, args, task, &names, classes.as_deref())
                .map_err(|problem| Failure::Usage(export_error(&target.path, problem)))?;
            Ok(Export {
                path: target.path.clone(),
                to,
                with_orientation: 0,
                replaced: 0,
            })
        });
        let open: Vec<Export> = open.collect::<Result<_, Failure>>()?;
        let has_stems = open.iter().any(|export| !matches!(export.to, To::Coco(_)));
        if let Some(note) = names.shared_stems().filter(|_| has_stems) {
            tell(format_args!("--export: {note}"));
        }
        Ok(Self {
            names,
            open,
            done: HashSet::new(),
            default_label: args
                .question
                .text
                .clone()
                .unwrap_or_else(|| "object".to_owned()),
        })
    }

    /// Writes the annotations of an image, once; returns the failures.
    pub(super) fn add(&mut self, image: &Path, answered: &AnyOutput) -> Vec<Failure> {
        let Some(name) = self.names.of(image) else {
            return Vec::new();
        };
        if !self.done.insert(name.path().to_owned()) {
            return Vec::new();
        }
        let stored = frame::stored(answered.image_notes());
        let mut record = ImageRecord::new(name.text(), answered.size());
        record.file_name_bytes = name.bytes();
        record.annotations = answered.annotations();
        record.label_unlabeled(&self.default_label);
        let item = Item {
            source: image,
            name,
            record: record.upright(stored),
            lines: frame::upright_lines(answered.text_regions(), stored, answered.size()),
        };
        let open = self.open.iter_mut();
        open.filter_map(|export| export.add(&item).err()).collect()
    }

    /// Finishes the files that all images share, and reports what is not in them.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = self.open.into_iter().map(Export::finish);
        // All are finished, even if one fails.
        let problems: Vec<String> = finished.filter_map(Result::err).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Failure::Other(problems.join("; ")))
        }
    }
}

impl To {
    /// Fails before the model is loaded.
    fn open(
        target: &Target,
        args: &RunArgs,
        task: &AnyTask,
        names: &Names,
        classes: Option<&[String]>,
    ) -> Result<Self, String> {
        let path = &target.path;
        let dataset = Dataset::new(&args.exports);
        Ok(match target.format {
            Format::Coco => Self::Coco(Coco::open(path, args, task, names, classes)?),
            Format::Yolo => Self::Yolo(Yolo::open(path, task.form(), dataset, classes)?),
            format => {
                let dataset = dataset.filter(|_| format == Format::Voc);
                Self::Documents(Documents::open(path, format, dataset)?)
            }
        })
    }
}

impl Export {
    fn add(&mut self, item: &Item<'_>) -> Result<(), Failure> {
        let added = match &mut self.to {
            To::Coco(coco) => coco.add(&item.record).map(|()| false),
            To::Yolo(yolo) => yolo.add(item),
            To::Documents(documents) => documents.add(item),
        };
        let replaced =
            added.map_err(|problem| Failure::Other(export_error(&self.path, problem)))?;
        self.replaced += usize::from(replaced);
        self.with_orientation += usize::from(item.record.stored != Orientation::Upright);
        Ok(())
    }

    fn finish(self) -> Result<(), String> {
        let finished = match self.to {
            To::Coco(coco) => coco.finish(),
            To::Yolo(yolo) => Ok(yolo.finish()),
            To::Documents(documents) => Ok(documents.finish()),
        };
        let counts = finished.map_err(|problem| export_error(&self.path, problem))?;
        let ExportCounts {
            changed, left_out, ..
        } = counts;
        if changed + left_out > 0 {
            let note = format!("{left_out} annotations left out, {changed} changed to fit");
            tell(export_error(&self.path, note));
        }
        if self.replaced > 0 {
            let note = format!(
                "existing files replaced: {} (--images-root tells images of the same name in different \
                 folders apart)",
                self.replaced
            );
            tell(export_error(&self.path, note));
        }
        if self.with_orientation > 0 {
            let note = format!(
                "photos with an EXIF orientation, exported upright as viewers show them: {}",
                self.with_orientation
            );
            tell(export_error(&self.path, note));
        }
        Ok(())
    }
}

fn export_error(path: &Path, problem: impl Display) -> String {
    format!("--export {}: {problem}", path.display())
}

/// An I/O error with the file that caused it.
fn about(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}
