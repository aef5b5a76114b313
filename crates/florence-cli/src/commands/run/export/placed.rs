//! The images of a data set by their stems: tools find the labels of an image by its name without
//! extension, so a stem belongs to one image, whatever its extension and whichever run added it.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::about;
use super::dataset::is_same_image;
use crate::commands::run::names::Name;
use crate::commands::run::whole;
use crate::export_target::Format;

/// The folders of images of a data set, each read when the first image goes into it.
#[derive(Debug)]
pub(super) struct Placed {
    parts: Vec<Part>,
    /// The extension of annotation files.
    ending: &'static str,
    /// By the folder below those of a split.
    folders: HashMap<PathBuf, Stems>,
}

/// A split of a data set: its folders of images and annotations.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) images: PathBuf,
    pub(super) about: PathBuf,
}

/// The contents of a folder, in all splits.
#[derive(Debug, Default)]
struct Stems {
    /// The names of images by their stems.
    images: HashMap<OsString, HashSet<OsString>>,
    /// The stems of annotation files when the folder was read.
    about: HashSet<OsString>,
}

impl Placed {
    pub(super) fn new(parts: Vec<Part>, ending: &'static str) -> Self {
        Self {
            parts,
            ending,
            folders: HashMap::new(),
        }
    }

    /// The name of the image in the file `source` in the data set, and the index of its split if it is
    /// there. Only one process at a time may ask and then add the image.
    pub(super) fn find(
        &mut self,
        name: &Name,
        source: &Path,
    ) -> Result<(Name, Option<usize>), String> {
        let (found, part) = self.look(name, source)?;
        if part.is_none() && self.is_of_another_run(&found)? {
            self.folders.remove(name.folder());
            return self.look(name, source);
        }
        Ok((found, part))
    }

    /// Whether an annotation file of this stem was added since the folder was read.
    fn is_of_another_run(&mut self, name: &Name) -> Result<bool, String> {
        let file = name.file(self.ending);
        let is_there = |part: &Part| part.about.join(&file).exists();
        let stem = name.stem().file_name().unwrap_or_default();
        Ok(self.parts.iter().any(is_there) && !self.stems(name.folder())?.about.contains(stem))
    }

    fn look(&mut self, name: &Name, source: &Path) -> Result<(Name, Option<usize>), String> {
        let images = &self.stems(name.folder())?.images;
        let is_there = |name: &Name| {
            let image = name.image();
            let others = image.file_stem().and_then(|stem| images.get(stem));
            let image = image.file_name().unwrap_or_default();
            others.is_some_and(|others| others.contains(image))
        };
        let is_taken = |name: &Name| {
            let stem = name.stem().file_name();
            stem.is_some_and(|stem| images.contains_key(stem))
        };
        let plain = name.plain();
        let there = is_there(&plain);
        let distinct = name.distinct().take_while(is_taken);
        let distinct: Vec<Name> = distinct.filter(is_there).collect();
        let mut free = std::iter::once(name.clone()).chain(name.distinct());
        let free = free.find(|name| !is_taken(name));
        if there {
            let part = self.part_of(&plain);
            return Ok((plain, part));
        }
        // The image of this name may be another one, whose own name it is.
        for distinct in distinct {
            let Some(part) = self.part_of(&distinct) else {
                continue;
            };
            let place = self.parts[part].images.join(distinct.image());
            if is_same_image(source, &place).map_err(about(&place))? {
                return Ok((distinct, Some(part)));
            }
        }
        Ok((free.unwrap_or_else(|| name.clone()), None))
    }

    fn part_of(&self, name: &Name) -> Option<usize> {
        let image = name.image();
        let mut parts = self.parts.iter();
        parts.position(|part| part.images.join(&image).exists())
    }

    /// Records an image that was added.
    pub(super) fn add(&mut self, name: &Name) -> Result<(), String> {
        let image = name.image();
        let image = image.file_name().unwrap_or_default();
        self.stems(name.folder())?.insert(image);
        Ok(())
    }

    fn stems(&mut self, folder: &Path) -> Result<&mut Stems, String> {
        if !self.folders.contains_key(folder) {
            let mut stems = Stems::default();
            for part in &self.parts {
                let (images, files) = (part.images.join(folder), part.about.join(folder));
                for name in file_names(&images).map_err(about(&images))? {
                    if is_image(&name) && !whole::is_unfinished(&name) {
                        stems.insert(&name);
                    }
                }
                for name in file_names(&files).map_err(about(&files))? {
                    let stem = Path::new(&name).file_stem();
                    stems.about.extend(stem.map(OsStr::to_owned));
                }
            }
            self.folders.insert(folder.to_owned(), stems);
        }
        Ok(self.folders.entry(folder.to_owned()).or_default())
    }
}

impl Stems {
    fn insert(&mut self, image: &OsStr) {
        let stem = Path::new(image).file_stem().unwrap_or(image);
        let images = self.images.entry(stem.to_owned()).or_default();
        images.insert(image.to_owned());
    }
}

/// The names of the files of a folder, none where there is no folder.
pub(super) fn file_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            names.push(entry.file_name());
        }
    }
    Ok(names)
}

/// Whether a file in an image folder is an image: all are, except annotation files.
pub(super) fn is_image(name: &OsStr) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    let formats = Format::value_variants().iter();
    let about = formats.map(|format| format.ending());
    let mut about = about.chain(["npy", "cache", "lock", "partial"]);
    !about.any(|about| ending.eq_ignore_ascii_case(about))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an image is called where others are; those with a `*` have its bytes.
    fn find(name: &Name, there: &[&str]) -> PathBuf {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::write(&source, "this").unwrap();
        let part = Part {
            images: folder.path().join("images"),
            about: folder.path().join("labels"),
        };
        fs::create_dir(&part.images).unwrap();
        for image in there {
            let contents = if image.ends_with('*') { "this" } else { "that" };
            fs::write(part.images.join(image.trim_end_matches('*')), contents).unwrap();
        }
        let mut placed = Placed::new(vec![part.clone()], "txt");
        let (found, index) = placed.find(name, &source).unwrap();
        assert_eq!(index.is_some(), part.images.join(found.image()).exists());
        found.image()
    }

    #[test]
    fn a_data_set_has_one_image_of_a_stem() {
        let (alone, twin) = (Name::new("a.jpg", "a"), Name::new("a.jpg", "a.jpg"));
        let (third, bare) = (Name::new("a.jpg", "a.jpg.2"), Name::new("a", "a"));
        for (name, there, expected) in [
            (&alone, &[][..], "a.jpg"),
            (&alone, &["a.png"], "a.jpg.jpg"),
            (&alone, &["a.jfif"], "a.jpg.jpg"),
            (&alone, &["a.JpG"], "a.jpg.jpg"),
            (&alone, &["a.json", "a.npy", "a.txt"], "a.jpg"),
            (&alone, &["a.png", "a.jpg.jpg*"], "a.jpg.jpg"),
            (&alone, &["a.png", "a.jpg.jpg"], "a.jpg.2.jpg"),
            (&alone, &["a.jpg", "a.png.png"], "a.jpg"),
            (&alone, &["a.png", "a.jpg.gif"], "a.jpg.2.jpg"),
            (
                &alone,
                &["a.png", "a.jpg.gif", "a.jpg.2.jpg*"],
                "a.jpg.2.jpg",
            ),
            (&alone, &["a.jpg.gif", "a.jpg.2.jpg*"], "a.jpg.2.jpg"),
            (&bare, &["a.png"], "a-2"),
            (&bare, &["a.png", "a-2*"], "a-2"),
            (&twin, &[], "a.jpg.jpg"),
            (&twin, &["a.jpg"], "a.jpg"),
            (&twin, &["a.png"], "a.jpg.jpg"),
            (&third, &[], "a.jpg.2.jpg"),
            (&third, &["a.jpg.jpg"], "a.jpg.2.jpg"),
            (&third, &["a.jpg.2.png"], "a.jpg.jpg"),
        ] {
            assert_eq!(find(name, there), Path::new(expected), "{there:?}");
        }
    }

    #[test]
    fn images_of_this_run_and_of_others_count_like_those_that_were_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |place: &str| folder.path().join(place);
        let parts = ["train", "val"].map(|part| Part {
            images: path(part),
            about: path("labels").join(part),
        });
        let mut placed = Placed::new(Vec::from(parts), "txt");
        let called = |placed: &mut Placed, name: &Name| {
            let (found, _) = placed.find(name, Path::new("no/such")).unwrap();
            format!("{} as {}", found.text(), found.image().display())
        };
        let (first, second) = (Name::new("b/a.png", "b/a"), Name::new("b/a.gif", "b/a"));
        assert_eq!(called(&mut placed, &first), "b/a.png as b/a.png");
        assert_eq!(called(&mut placed, &second), "b/a.gif as b/a.gif");
        placed.add(&first).unwrap();
        assert_eq!(called(&mut placed, &second), "b/a.gif as b/a.gif.gif");
        let elsewhere = Name::new("c/a.gif", "c/a");
        assert_eq!(called(&mut placed, &elsewhere), "c/a.gif as c/a.gif");
        // Another process puts an image and its labels there.
        for place in ["val/c/a.png", "labels/val/c/a.txt"] {
            fs::create_dir_all(path(place).parent().unwrap()).unwrap();
            fs::write(path(place), "").unwrap();
        }
        assert_eq!(called(&mut placed, &elsewhere), "c/a.gif as c/a.gif.gif");
    }
}
