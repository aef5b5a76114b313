//! `florence run --export`: annotation files and documents.
//!
//! Files are complete at any moment: each is written under a temporary name and then renamed.

mod check;
mod claims;
mod coco;
mod dataset;
mod documents;
mod journal;
mod lock;
mod mask_name;
mod masks;
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
use self::masks::Masks;
use self::yolo::Yolo;
use super::filter::Filter;
use super::frame;
use super::names::{Name, Names};
use crate::args::RunArgs;
use crate::export_target::{Format, Target};
use crate::failure::Failure;
use crate::stderr::tell;

/// The exports of a run.
pub(super) struct Exports<'a> {
    names: &'a Names,
    skips_existing: bool,
    open: Vec<Export>,
    /// The exported images.
    done: HashSet<PathBuf>,
    /// The label of what the answer does not name.
    default_label: &'a str,
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
    Masks(Masks),
}

/// An image and its annotations, in the upright frame.
struct Item<'a> {
    source: &'a Path,
    name: &'a Name,
    record: ImageRecord,
    lines: Vec<TextRegion>,
}

impl<'a> Exports<'a> {
    /// Reads existing files and locks those that only one run may write. Changes nothing until the
    /// first image is answered.
    pub(super) fn open(
        args: &'a RunArgs,
        task: Option<&AnyTask>,
        names: &'a Names,
        filter: &Filter<'_>,
    ) -> Result<Self, Failure> {
        let asked = args.export.iter().zip(task.into_iter().cycle());
        let open = asked.map(|(target, task)| {
            let to = To::open(target, args, task, names, filter.classes())
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
        if let Some(note) = names.shared_stems("txt").filter(|_| has_stems) {
            tell(format_args!("--export: {note}"));
        }
        Ok(Self {
            names,
            skips_existing: args.skips_existing(),
            open,
            done: HashSet::new(),
            default_label: args.question.unnamed(),
        })
    }

    /// Whether all exports have an image; `None` if there are no exports.
    pub(super) fn have(&mut self, image: &Path) -> Option<bool> {
        if self.open.is_empty() {
            return None;
        }
        let name = self.names.of(image).filter(|_| self.skips_existing);
        let Some(name) = name else { return Some(false) };
        // Each is asked, since those that hold all images count what they have.
        let has = self
            .open
            .iter_mut()
            .map(|export| export.to.has(name, image));
        Some(has.fold(true, |all, has| all & has))
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
        record.label_unlabeled(self.default_label);
        let item = Item {
            source: image,
            name,
            record: record.upright(stored),
            lines: frame::upright_lines(answered.text_regions(), stored, answered.size()),
        };
        let keeps = self.skips_existing;
        let open = self.open.iter_mut();
        let missing =
            open.filter_map(|export| (!(keeps && export.to.has(name, image))).then_some(export));
        missing
            .filter_map(|export| export.add(&item).err())
            .collect()
    }

    /// Finishes the files that all images share, and reports what is not in them.
    pub(super) fn finish(self, interrupted: bool) -> Result<(), Failure> {
        let open = self.open.into_iter();
        let finished = open.map(|export| export.finish(interrupted));
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
            Format::Masks => Self::Masks(Masks::new(path)),
            format => {
                let dataset = dataset.filter(|_| format == Format::Voc);
                Self::Documents(Documents::open(path, format, dataset)?)
            }
        })
    }
}

impl To {
    /// Whether an earlier run has written all about an image.
    fn has(&mut self, name: &Name, image: &Path) -> bool {
        match self {
            Self::Coco(coco) => coco.has(name),
            Self::Yolo(yolo) => yolo.has(name, image),
            Self::Documents(documents) => documents.has(name, image),
            Self::Masks(masks) => masks.has(name),
        }
    }
}

impl Export {
    fn add(&mut self, item: &Item<'_>) -> Result<(), Failure> {
        let added = match &mut self.to {
            To::Coco(coco) => coco.add(&item.record).map(|()| false),
            To::Yolo(yolo) => yolo.add(item),
            To::Documents(documents) => documents.add(item),
            To::Masks(masks) => masks.add(item),
        };
        let replaced =
            added.map_err(|problem| Failure::Other(export_error(&self.path, problem)))?;
        self.replaced += usize::from(replaced);
        self.with_orientation += usize::from(item.record.stored != Orientation::Upright);
        Ok(())
    }

    fn finish(self, interrupted: bool) -> Result<(), String> {
        let finished = match self.to {
            To::Coco(coco) => coco.finish(interrupted),
            To::Yolo(yolo) => Ok(yolo.finish()),
            To::Documents(documents) => Ok(documents.finish()),
            // Every object has its mask.
            To::Masks(_) => Ok(ExportCounts::default()),
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
