//! Formats with a file about each image.

use std::path::{Path, PathBuf};

use florence_postprocess::export::{
    Document, ExportCounts, ImageRecord, hocr_document, labelme_document, voc_document,
};
use florence_postprocess::reading::Page;

use super::dataset::Dataset;
use super::names::Name;
use super::sets::Sets;
use super::{Item, about, whole};
use crate::export_target::Format;

pub(super) struct Documents {
    folder: PathBuf,
    format: Format,
    dataset: Option<(Dataset, Sets)>,
    counts: ExportCounts,
}

impl Documents {
    pub(super) fn open(
        folder: &Path,
        format: Format,
        dataset: Option<Dataset>,
    ) -> Result<Self, String> {
        let sets = || Sets::open(folder.join("ImageSets").join("Main"));
        let dataset = dataset.map(|dataset| Ok::<_, String>((dataset, sets()?)));
        Ok(Self {
            folder: folder.to_owned(),
            format,
            dataset: dataset.transpose()?,
            counts: ExportCounts::default(),
        })
    }

    /// Gives back whether a file was replaced.
    pub(super) fn add(&mut self, item: &Item<'_>) -> Result<bool, String> {
        let images = self.folder.join("JPEGImages");
        let is_there = |name: &Name| self.path(name).exists();
        let name = match self.dataset {
            Some(_) => item
                .name
                .in_set(is_there, |image| images.join(image).exists()),
            None => item.name.as_before(is_there),
        };
        let image = images.join(name.image());
        if let Some((dataset, _)) = &self.dataset {
            dataset.check_place(item.source, &image)?;
        }
        let document = self.document(item, &name);
        let path = self.path(&name);
        let replaced = whole::write(&path, document.text.as_bytes()).map_err(about(&path))?;
        if let Some((dataset, sets)) = &mut self.dataset {
            dataset.place(item.source, &image)?;
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
        let named = |name: &Name| ImageRecord {
            file_name: name.text(),
            file_name_bytes: name.bytes(),
            ..record.clone()
        };
        // These two lie beside their image; a VOC file has an element for the folder.
        let beside = || named(&name.alone());
        match self.format {
            Format::Labelme => labelme_document(&beside()),
            Format::Voc if self.dataset.is_some() => voc_document(&named(&name.in_data_set())),
            Format::Voc => voc_document(record),
            Format::Hocr => hocr_document(&beside(), &page()),
            Format::Markdown => text(page().to_markdown()),
            _ => text(page().to_text()),
        }
    }
}

fn text(text: String) -> Document {
    Document {
        text,
        notes: Vec::new(),
    }
}
