//! `florence run --export`: answers as files of other tools.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use florence_postprocess::export::{
    Categories, CocoSegmentation, CocoWriter, Document, ExportCounts, ExportNote, ImageRecord,
    YoloTask, labelme_document, voc_document, yolo_data, yolo_labels,
};
use florence_postprocess::reading::Page;
use florence_tasks::{AnswerForm, Task};

use super::asked::{Answered, Asked};
use super::is_image;
use crate::args::RunArgs;
use crate::export_target::{Format, Target};
use crate::failure::Failure;

/// What is wrong with `--export`, which should be said before a model is loaded.
pub(super) fn check(args: &RunArgs, asked: &Asked) -> Result<(), Failure> {
    for Target { format, path } in &args.export {
        let problem = if format.is_page() && asked.form() != AnswerForm::Quads {
            format!(
                "pages of text come from {}, not from {asked}",
                Task::OcrWithRegion
            )
        } else if let Some(problem) = asked.no_place() {
            problem
        } else if is_image(path, &args.images) {
            "this is one of the images, which would be lost".to_owned()
        } else {
            continue;
        };
        return Err(Failure::Usage(format!(
            "--export {}: {problem}",
            path.display()
        )));
    }
    let mut stems = BTreeSet::new();
    let one_file_each = args
        .export
        .iter()
        .any(|target| target.format != Format::Coco);
    let twice = args
        .images
        .iter()
        .find(|image| !stems.insert(image.file_stem()));
    match twice {
        Some(image) if one_file_each => Err(Failure::Usage(format!(
            "--export writes a file for each image, and another one is named like {}: expected \
             images of different names",
            image.display()
        ))),
        _ => Ok(()),
    }
}

/// The files on their way.
pub(super) struct Exports {
    open: Vec<Export>,
    /// What the answer does not name.
    unlabelled: String,
}

struct Export {
    path: PathBuf,
    to: To,
    counts: ExportCounts,
}

enum To {
    Coco(CocoWriter<BufWriter<File>>),
    Yolo(YoloTask, Categories),
    Documents(Format),
}

impl Exports {
    /// Makes the folders, and the files that all images share.
    pub(super) fn create(args: &RunArgs, asked: &Asked) -> Result<Self, Failure> {
        let open = args
            .export
            .iter()
            .map(|target| Export::create(target, asked.form()));
        Ok(Self {
            open: open.collect::<Result<_, _>>()?,
            unlabelled: args.text.clone().unwrap_or_else(|| "object".to_owned()),
        })
    }

    /// Writes what is known about an image.
    pub(super) fn add(&mut self, image: &Path, answered: &Answered) -> Result<(), Failure> {
        if self.open.is_empty() {
            return Ok(());
        }
        let name = image.file_name().unwrap_or(image.as_os_str());
        let mut record = ImageRecord::new(name.to_string_lossy(), answered.size());
        record.annotations = answered.annotations();
        record.label_unlabelled(&self.unlabelled);
        for export in &mut self.open {
            export.add(name, &record, answered)?;
        }
        Ok(())
    }

    /// Finishes the files that all images share, and says what is not in them.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.open.into_iter().try_for_each(Export::finish)
    }
}

impl Export {
    fn create(target: &Target, form: AnswerForm) -> Result<Self, Failure> {
        let path = target.path.clone();
        let failed = |error: std::io::Error| about(&path, error);
        let folder = match target.format {
            Format::Coco => path.parent().unwrap_or(Path::new("")),
            _ => &path,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let has_outlines = matches!(form, AnswerForm::Polygons | AnswerForm::BoxesOrPolygons);
        let to = match target.format {
            Format::Coco => {
                let file = BufWriter::new(File::create(&path).map_err(failed)?);
                To::Coco(CocoWriter::new(file, CocoSegmentation::Polygons).map_err(failed)?)
            }
            Format::Yolo if has_outlines => To::Yolo(YoloTask::Segment, Categories::open()),
            Format::Yolo => To::Yolo(YoloTask::Detect, Categories::open()),
            format => To::Documents(format),
        };
        Ok(Self {
            path,
            to,
            counts: ExportCounts::default(),
        })
    }

    fn add(
        &mut self,
        name: &OsStr,
        record: &ImageRecord,
        answered: &Answered,
    ) -> Result<(), Failure> {
        let notes = match &mut self.to {
            To::Coco(writer) => {
                let notes = writer.write_image(record);
                notes.map_err(|error| about(&self.path, error))?
            }
            To::Yolo(task, categories) => {
                let labels = yolo_labels(record, *task, categories);
                self.write(name, Format::Yolo, labels)?
            }
            To::Documents(format) => {
                let format = *format;
                let page = || Page::from_regions(answered.text_regions(), answered.size());
                let document = match format {
                    Format::Labelme => labelme_document(record),
                    Format::Voc => voc_document(record),
                    Format::Hocr => text(page().to_hocr(&record.file_name)),
                    Format::Markdown => text(page().to_markdown()),
                    _ => text(page().to_text()),
                };
                self.write(name, format, document)?
            }
        };
        self.counts.add(&record.annotations, &notes);
        Ok(())
    }

    fn write(
        &self,
        image: &OsStr,
        format: Format,
        document: Document,
    ) -> Result<Vec<ExportNote>, Failure> {
        let path = self
            .path
            .join(Path::new(image).with_extension(format.ending()));
        fs::write(&path, document.text).map_err(|error| about(&path, error))?;
        Ok(document.notes)
    }

    fn finish(self) -> Result<(), Failure> {
        let written = match self.to {
            To::Coco(writer) => writer.finish().map(drop),
            To::Yolo(_, categories) => {
                let data = yolo_data(".", "images", "images", &categories);
                fs::write(self.path.join("data.yaml"), data)
            }
            To::Documents(_) => Ok(()),
        };
        written.map_err(|error| about(&self.path, error))?;
        let ExportCounts {
            changed, left_out, ..
        } = self.counts;
        if changed + left_out > 0 {
            eprintln!(
                "florence: --export {}: {left_out} annotations left out, {changed} changed to fit",
                self.path.display()
            );
        }
        Ok(())
    }
}

fn text(text: String) -> Document {
    Document {
        text,
        notes: Vec::new(),
    }
}

fn about(path: &Path, error: impl Display) -> Failure {
    Failure::Other(format!("--export {}: {error}", path.display()))
}
