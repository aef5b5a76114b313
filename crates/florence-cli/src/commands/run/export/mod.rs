//! `florence run --export`: answers as files of other tools.
//!
//! Files are whole at any moment, whatever ends the process: each is written under another name and
//! takes its own when it is complete.

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
mod whole;
mod yolo;

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use florence_export::{ExportCounts, ImageRecord};
use florence_postprocess::{Orientation, TextRegion};

pub(super) use self::check::check;
use self::coco::Coco;
use self::dataset::Dataset;
use self::documents::Documents;
use self::names::{Name, Names};
pub(super) use self::whole::with_path as write_whole;
use self::yolo::Yolo;
use super::asked::{Answered, Asked};
use super::frame;
use crate::args::RunArgs;
use crate::export_target::{Format, Target};
use crate::failure::Failure;
use crate::stderr::tell;

/// The files on their way.
pub(super) struct Exports {
    names: Names,
    open: Vec<Export>,
    /// The images that are in them.
    done: HashSet<PathBuf>,
    /// What the answer does not name.
    unlabelled: String,
}

struct Export {
    path: PathBuf,
    to: To,
    /// How many photos are stored turned.
    turned: usize,
    /// How many files of runs before this one gave way.
    replaced: usize,
}

enum To {
    Coco(Coco),
    Yolo(Yolo),
    Documents(Documents),
}

/// An image and what is known about it, in the upright frame.
struct Item<'a> {
    source: &'a Path,
    name: &'a Name,
    record: ImageRecord,
    lines: Vec<TextRegion>,
}

impl Exports {
    /// Reads what is there already and holds what two runs must not write at once. Nothing that is
    /// there is changed until the first image is answered.
    pub(super) fn open(args: &RunArgs, asked: &Asked) -> Result<Self, Failure> {
        if args.export.is_empty() {
            return Ok(Self {
                names: Names::default(),
                open: Vec::new(),
                done: HashSet::new(),
                unlabelled: String::new(),
            });
        }
        let names = Names::new(args)?;
        let classes = args.exports.classes.as_deref();
        let classes = classes.map(classes::read).transpose()?;
        let open = args.export.iter().map(|target| {
            let to = To::open(target, args, asked, &names, classes.as_deref())
                .map_err(|problem| Failure::Usage(told(&target.path, problem)))?;
            Ok(Export {
                path: target.path.clone(),
                to,
                turned: 0,
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
            unlabelled: args.text.clone().unwrap_or_else(|| "object".to_owned()),
        })
    }

    /// Writes what is known about an image, once; gives back what went wrong.
    pub(super) fn add(&mut self, image: &Path, answered: &Answered) -> Vec<Failure> {
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
        record.label_unlabeled(&self.unlabelled);
        let item = Item {
            source: image,
            name,
            record: record.upright(stored),
            lines: frame::upright_lines(answered.text_regions(), stored, answered.size()),
        };
        let open = self.open.iter_mut();
        open.filter_map(|export| export.add(&item).err()).collect()
    }

    /// Finishes the files that all images share, and says what is not in them.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = self.open.into_iter().map(Export::finish);
        // All of them are finished, whatever becomes of one.
        let problems: Vec<String> = finished.filter_map(Result::err).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Failure::Other(problems.join("; ")))
        }
    }
}

impl To {
    /// What is wrong with it should be said before a model is loaded.
    fn open(
        target: &Target,
        args: &RunArgs,
        asked: &Asked,
        names: &Names,
        classes: Option<&[String]>,
    ) -> Result<Self, String> {
        let path = &target.path;
        let dataset = Dataset::new(&args.exports);
        Ok(match target.format {
            Format::Coco => Self::Coco(Coco::open(path, args, asked, names, classes)?),
            Format::Yolo => Self::Yolo(Yolo::open(path, asked.form(), dataset, classes)?),
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
        let replaced = added.map_err(|problem| Failure::Other(told(&self.path, problem)))?;
        self.replaced += usize::from(replaced);
        self.turned += usize::from(item.record.stored != Orientation::Upright);
        Ok(())
    }

    fn finish(self) -> Result<(), String> {
        let finished = match self.to {
            To::Coco(coco) => coco.finish(),
            To::Yolo(yolo) => Ok(yolo.finish()),
            To::Documents(documents) => Ok(documents.finish()),
        };
        let counts = finished.map_err(|problem| told(&self.path, problem))?;
        let ExportCounts {
            changed, left_out, ..
        } = counts;
        if changed + left_out > 0 {
            let note = format!("{left_out} annotations left out, {changed} changed to fit");
            tell(told(&self.path, note));
        }
        if self.replaced > 0 {
            let note = format!(
                "files that were there are replaced: {} (--images-root keeps images of equal names \
                 from different folders apart)",
                self.replaced
            );
            tell(told(&self.path, note));
        }
        if self.turned > 0 {
            let note = format!(
                "photos that are stored turned, exported upright as viewers show them: {}",
                self.turned
            );
            tell(told(&self.path, note));
        }
        Ok(())
    }
}

fn told(path: &Path, problem: impl Display) -> String {
    format!("--export {}: {problem}", path.display())
}

/// An error of the operating system, and the file that it is about.
fn about(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}
