//! YOLO labels and their `data.yaml`, which is written before the first label that uses a class
//! number; numbers keep their meaning from run to run.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use florence_export::{Categories, ExportCounts, YoloData, YoloTask, yolo_data, yolo_labels};
use florence_tasks::AnswerForm;

use super::claims::Claim;
use super::dataset::{Dataset, Split};
use super::lock::Lock;
use super::placed::{Part, Placed};
use super::{Item, about};
use crate::commands::run::names::{Name, Names};
use crate::commands::run::whole;

pub(super) struct Yolo {
    folder: PathBuf,
    task: YoloTask,
    dataset: Option<(Dataset, Placed)>,
    classes: Option<Vec<String>>,
    counts: ExportCounts,
}

impl Yolo {
    pub(super) fn claims(folder: &Path, dataset: Option<Dataset>, names: &Names) -> Vec<Claim> {
        let shared = ["data.yaml", "data.yaml.lock"].map(|file| Claim::File(folder.join(file)));
        let mut claims = Vec::from(shared);
        if dataset.is_some() {
            claims.push(Claim::Endings(folder.join("labels"), "txt"));
            claims.push(Claim::Images(folder.join("images")));
        } else {
            let files = names.all().flat_map(|name| name.files("txt"));
            claims.extend(files.map(|file| Claim::File(folder.join(file))));
        }
        claims
    }

    pub(super) fn open(
        folder: &Path,
        form: AnswerForm,
        dataset: Option<Dataset>,
        classes: Option<&[String]>,
    ) -> Result<Self, String> {
        let parts = Split::ALL.map(|split| Part {
            images: folder.join("images").join(split.name()),
            about: folder.join("labels").join(split.name()),
        });
        let dataset = dataset.map(|dataset| (dataset, Placed::new(Vec::from(parts), "txt")));
        let has_outlines = matches!(form, AnswerForm::Polygons | AnswerForm::BoxesOrPolygons);
        let yolo = Self {
            folder: folder.to_owned(),
            task: if has_outlines {
                YoloTask::Segment
            } else {
                YoloTask::Detect
            },
            dataset,
            classes: classes.map(<[String]>::to_vec),
            counts: ExportCounts::default(),
        };
        let (data, labels) = (yolo.data()?, first_label(folder).map_err(about(folder))?);
        if let Some((path, task)) = labels {
            if data.is_none() {
                return Err(format!(
                    "{} has labels, but there is no data.yaml that names their classes: expected that \
                     file, or another folder",
                    path.display()
                ));
            }
            if task != yolo.task {
                let name = |task| match task {
                    YoloTask::Segment => "outlines",
                    _ => "boxes",
                };
                return Err(format!(
                    "{} has labels of {}, this run would add labels of {}: expected another folder",
                    path.display(),
                    name(task),
                    name(yolo.task)
                ));
            }
        }
        if let Some(data) = data {
            yolo.categories(&data)?;
            let more = data.with_names([""]);
            more.map_err(|error| format!("{}: {error}", yolo.data_path().display()))?;
        }
        Ok(yolo)
    }

    /// Whether an image has its labels, and its place in a data set.
    pub(super) fn has(&mut self, name: &Name, source: &Path) -> bool {
        let Ok((name, split)) = self.place(name, source) else {
            return false;
        };
        let is_placed = split.is_none_or(|split| {
            let images = self.folder.join("images").join(split.name());
            images.join(name.image()).exists()
        });
        is_placed && self.label(&name, split).exists()
    }

    /// Returns whether labels were replaced.
    pub(super) fn add(&mut self, item: &Item<'_>) -> Result<bool, String> {
        fs::create_dir_all(&self.folder).map_err(about(&self.folder))?;
        let lock = self.folder.join("data.yaml.lock");
        // Other runs may add classes and images at the same time.
        let _lock = Lock::wait(lock.clone()).map_err(about(&lock))?;
        let (name, split) = self.place(item.name, item.source)?;
        let label = self.label(&name, split);
        let image = split.map(|split| {
            let folder = self.folder.join("images").join(split.name());
            folder.join(name.image())
        });
        if let (Some((dataset, _)), Some(image)) = (&self.dataset, &image) {
            dataset.check_place(item.source, image)?;
        }
        let there = self.data()?;
        let data = match &there {
            Some(data) => data.clone(),
            None => self.new_data()?,
        };
        let mut categories = self.categories(&data)?;
        let labels = yolo_labels(&item.record, self.task, &mut categories);
        let path = self.data_path();
        let new = categories.names().iter().skip(data.names().len());
        let grown = data.with_names(new.cloned());
        let grown = grown.map_err(|error| format!("{}: {error}", path.display()))?;
        if there.as_ref() != Some(&grown) {
            whole::write(&path, grown.text().as_bytes()).map_err(about(&path))?;
        }
        let replaced = whole::write(&label, labels.text.as_bytes()).map_err(about(&label))?;
        // After the labels: an image without labels counts as background.
        if let (Some((dataset, placed)), Some(image)) = (&mut self.dataset, image) {
            dataset.place(item.source, &image)?;
            placed.add(&name)?;
        }
        self.counts.add(&item.record.annotations, &labels.notes);
        Ok(replaced)
    }

    pub(super) fn finish(self) -> ExportCounts {
        self.counts
    }

    fn data_path(&self) -> PathBuf {
        self.folder.join("data.yaml")
    }

    /// The existing `data.yaml`.
    fn data(&self) -> Result<Option<YoloData>, String> {
        let path = self.data_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(about(&path)(error)),
        };
        let data = YoloData::parse(text);
        data.map(Some)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn new_data(&self) -> Result<YoloData, String> {
        let known = Categories::closed(self.classes.clone().unwrap_or_default());
        let text = match self.dataset {
            Some(_) => yolo_data("", "images/train", "images/val", &known),
            None => yolo_data(".", "images", "images", &known),
        };
        YoloData::parse(text).map_err(|error| error.to_string())
    }

    /// The class numbers: those of the file, and of `--classes` if given.
    fn categories(&self, data: &YoloData) -> Result<Categories, String> {
        let there = data.names();
        let Some(classes) = &self.classes else {
            return Ok(Categories::open_with(there.iter().cloned()));
        };
        let differing = there.iter().zip(classes).position(|(a, b)| a != b);
        match differing {
            Some(number) => Err(format!(
                "{}: class {number} is {:?}, but {:?} in --classes: expected the same order",
                self.data_path().display(),
                there[number],
                classes[number]
            )),
            None => Ok(Categories::closed(classes.iter().cloned())),
        }
    }

    /// The name of the image here, and its split of the data set.
    fn place(&mut self, name: &Name, source: &Path) -> Result<(Name, Option<Split>), String> {
        let Some((dataset, placed)) = &mut self.dataset else {
            let name = name.as_before(|name| self.label(name, None).exists());
            return Ok((name, None));
        };
        let (dataset, (name, part)) = (*dataset, placed.find(name, source)?);
        let mut parts = Split::ALL.into_iter();
        let split = match part.and_then(|part| Split::ALL.get(part)) {
            Some(split) => *split,
            // An interrupted run may have written its labels already.
            None => parts
                .find(|split| self.label(&name, Some(*split)).exists())
                .unwrap_or_else(|| dataset.split(&name.text())),
        };
        Ok((name, Some(split)))
    }

    /// The path of an image's labels, in this split if it is a data set.
    fn label(&self, name: &Name, split: Option<Split>) -> PathBuf {
        let folder = match split {
            Some(split) => self.folder.join("labels").join(split.name()),
            None => self.folder.clone(),
        };
        folder.join(name.file("txt"))
    }
}

/// A non-empty label file in a folder, and the kind of its labels. Folders below with a `data.yaml` of
/// their own are other data sets.
fn first_label(folder: &Path) -> io::Result<Option<(PathBuf, YoloTask)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() && !path.join("data.yaml").exists() {
            if let Ok(Some(found)) = first_label(&path) {
                return Ok(Some(found));
            }
        } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "txt") {
            let mut start = Vec::new();
            let file = fs::File::open(&path)?;
            file.take(1 << 16).read_to_end(&mut start)?;
            if let Some(task) = task_of(&String::from_utf8_lossy(&start)) {
                return Ok(Some((path, task)));
            }
        }
    }
    Ok(None)
}

/// The kind of a file's labels; `None` if it has none or is not a label file.
fn task_of(text: &str) -> Option<YoloTask> {
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    let mut fields = line.split_whitespace();
    fields.next()?.parse::<usize>().ok()?;
    let numbers: Vec<Option<f32>> = fields.map(|field| field.parse().ok()).collect();
    if numbers.len() < 4 || numbers.contains(&None) {
        return None;
    }
    // Predictions have a confidence after the box.
    Some(if numbers.len() <= 5 {
        YoloTask::Detect
    } else {
        YoloTask::Segment
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_from_other_text() {
        assert_eq!(task_of("\n3 .5 .5 .1 .1\n"), Some(YoloTask::Detect));
        assert_eq!(task_of("3 .5 .5 .1 .1 0.9"), Some(YoloTask::Detect));
        assert_eq!(task_of("0 0 0 1 0 1 1"), Some(YoloTask::Segment));
        for other in [
            "",
            "car\ndog\n",
            "2 cats and 3 dogs on 4 mats",
            "1 2 3",
            "./images/1.png",
        ] {
            assert_eq!(task_of(other), None, "{other}");
        }
    }
}
