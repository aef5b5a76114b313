//! Formats with one file per image.

use std::fs;
use std::path::{Path, PathBuf};

use florence_export::{Document, ExportCounts, labelme_document, voc_document};
use florence_layout::Page;

use super::claims::Claim;
use super::dataset::Dataset;
use super::lock::Lock;
use super::placed::{Part, Placed};
use super::sets::Sets;
use super::{Item, about};
use crate::commands::run::names::{Name, Names};
use crate::commands::run::whole;
use crate::export_target::Format;

pub(super) struct Documents {
    folder: PathBuf,
    format: Format,
    dataset: Option<(Dataset, Placed, Sets)>,
    counts: ExportCounts,
}

impl Documents {
    pub(super) fn claims(
        folder: &Path,
        format: Format,
        dataset: Option<Dataset>,
        names: &Names,
    ) -> Vec<Claim> {
        if dataset.is_some() {
            return vec![
                Claim::Endings(folder.join("Annotations"), format.ending()),
                Claim::Images(folder.join("JPEGImages")),
                Claim::Endings(folder.join("ImageSets"), "txt"),
                Claim::File(Self::lock(folder)),
            ];
        }
        let files = names.all().flat_map(|name| name.files(format.ending()));
        files.map(|file| Claim::File(folder.join(file))).collect()
    }

    pub(super) fn open(
        folder: &Path,
        format: Format,
        dataset: Option<Dataset>,
    ) -> Result<Self, String> {
        let dataset = dataset.map(|dataset| {
            let part = Part {
                images: folder.join("JPEGImages"),
                about: folder.join("Annotations"),
            };
            let placed = Placed::new(vec![part], format.ending());
            let sets = Sets::open(folder.join("ImageSets").join("Main"))?;
            Ok::<_, String>((dataset, placed, sets))
        });
        Ok(Self {
            folder: folder.to_owned(),
            format,
            dataset: dataset.transpose()?,
            counts: ExportCounts::default(),
        })
    }

    /// The lock that one run at a time holds while it adds to a data set.
    fn lock(folder: &Path) -> PathBuf {
        folder
            .join("ImageSets")
            .join("Main")
            .join("trainval.txt.lock")
    }

    /// Whether an image has its file, and its place in a data set.
    pub(super) fn has(&mut self, name: &Name, source: &Path) -> bool {
        let Some((_, placed, sets)) = &mut self.dataset else {
            let name = name.as_before(|name| self.path(name).exists());
            return self.path(&name).exists();
        };
        let Ok((name, Some(_))) = placed.find(name, source) else {
            return false;
        };
        sets.part(name.stem()).is_some() && self.path(&name).exists()
    }

    /// Returns whether a file was replaced.
    pub(super) fn add(&mut self, item: &Item<'_>) -> Result<bool, String> {
        let lock = self.dataset.is_some().then(|| Self::lock(&self.folder));
        // Other runs may add images at the same time.
        let _lock = lock.map(|path| {
            let folder = path.parent().unwrap_or(&self.folder);
            let made = fs::create_dir_all(folder).and_then(|()| Lock::wait(path.clone()));
            made.map_err(about(&path))
        });
        let _lock = _lock.transpose()?;
        let name = match &mut self.dataset {
            Some((_, placed, _)) => placed.find(item.name, item.source)?.0,
            None => item.name.as_before(|name| self.path(name).exists()),
        };
        let image = self.folder.join("JPEGImages").join(name.image());
        if let Some((dataset, ..)) = &self.dataset {
            dataset.check_place(item.source, &image)?;
        }
        let document = self.document(item, &name);
        let path = self.path(&name);
        let replaced = whole::write(&path, document.text.as_bytes()).map_err(about(&path))?;
        if let Some((dataset, placed, sets)) = &mut self.dataset {
            dataset.place(item.source, &image)?;
            placed.add(&name)?;
            let stem = name.stem();
            let split = sets.part(stem);
            let split = split.unwrap_or_else(|| dataset.split(&name.text()));
            sets.add(stem, split)?;
        }
        self.counts.add(&item.record.annotations, &document.notes);
        Ok(replaced)
    }

    pub(super) fn finish(self) -> ExportCounts {
        self.counts
    }

    fn path(&self, name: &Name) -> PathBuf {
        let file = name.file(self.format.ending());
        match &self.dataset {
            Some(_) => self.folder.join("Annotations").join(file),
            None => self.folder.join(file),
        }
    }

    fn document(&self, item: &Item<'_>, name: &Name) -> Document {
        let record = &item.record;
        let page = || Page::from_regions(&item.lines, record.size);
        let named = |name: &Name| record.clone().with_file_name(name.text(), name.bytes());
        // These two lie beside their image; a VOC file has an element for the folder.
        let beside = || named(&name.alone());
        match self.format {
            Format::Labelme => labelme_document(&beside()),
            Format::Voc if self.dataset.is_some() => voc_document(&named(&name.in_data_set())),
            Format::Voc => voc_document(record),
            Format::Hocr => {
                let record = beside();
                text(page().to_hocr_with(&record.file_name, &record.metadata()))
            }
            Format::Markdown => text(page().to_markdown()),
            _ => text(page().to_text()),
        }
    }
}

fn text(text: String) -> Document {
    Document::new(text, Vec::new())
}
