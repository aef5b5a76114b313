//! The images of a data set by their stems: tools find the labels of an image by its name without the
//! ending, so one stem is one image, whatever its ending is and whichever run put it there.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::names::Name;
use super::{about, whole};
use crate::export_target::Format;

/// The folders of images of a data set, each read when the first image goes into it.
#[derive(Debug)]
pub(super) struct Placed {
    roots: Vec<PathBuf>,
    /// By the folder below the roots.
    folders: HashMap<PathBuf, Stems>,
}

/// The names of images by their stems.
type Stems = HashMap<OsString, HashSet<OsString>>;

impl Placed {
    pub(super) fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            folders: HashMap::new(),
        }
    }

    /// What an image is called in the data set, and the index of the root where it is if it is there.
    pub(super) fn find(&mut self, name: &Name) -> Result<(Name, Option<usize>), String> {
        let stems = self.stems(name.folder())?;
        let is_there = |name: &Name| {
            let image = name.image();
            let others = image.file_stem().and_then(|stem| stems.get(stem));
            let image = image.file_name().unwrap_or_default();
            others.is_some_and(|others| others.contains(image))
        };
        let is_taken = |name: &Name| {
            let stem = name.stem().file_name();
            stem.is_some_and(|stem| stems.contains_key(stem))
        };
        let there = name.plain();
        let mut there = std::iter::once(there).chain(name.distinct().take_while(is_taken));
        if let Some(name) = there.find(is_there) {
            let image = name.image();
            let root = self
                .roots
                .iter()
                .position(|root| root.join(&image).exists());
            return Ok((name, root));
        }
        let mut free = std::iter::once(name.clone()).chain(name.distinct());
        let free = free.find(|name| !is_taken(name));
        Ok((free.unwrap_or_else(|| name.clone()), None))
    }

    /// Notes an image that is there now.
    pub(super) fn add(&mut self, name: &Name) -> Result<(), String> {
        let image = name.image();
        let image = image.file_name().unwrap_or_default();
        insert(self.stems(name.folder())?, image);
        Ok(())
    }

    fn stems(&mut self, folder: &Path) -> Result<&mut Stems, String> {
        if !self.folders.contains_key(folder) {
            let mut stems = Stems::new();
            for root in &self.roots {
                let folder = root.join(folder);
                read(&folder, &mut stems).map_err(about(&folder))?;
            }
            self.folders.insert(folder.to_owned(), stems);
        }
        Ok(self.folders.entry(folder.to_owned()).or_default())
    }
}

fn read(folder: &Path, stems: &mut Stems) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if !entry.file_type()?.is_dir() && is_image(&name) && !whole::is_unfinished(&name) {
            insert(stems, &name);
        }
    }
    Ok(())
}

/// Whether a file among the images of a data set is one: all are but those about images.
pub(super) fn is_image(name: &OsStr) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    let formats = Format::value_variants().iter();
    let mut about = formats
        .map(|format| format.ending())
        .chain(["npy", "cache"]);
    !about.any(|about| ending.eq_ignore_ascii_case(about))
}

fn insert(stems: &mut Stems, image: &OsStr) {
    let stem = Path::new(image).file_stem().unwrap_or(image);
    let images = stems.entry(stem.to_owned()).or_default();
    images.insert(image.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &Name, there: &[&str]) -> PathBuf {
        let folder = tempfile::tempdir().unwrap();
        for image in there {
            fs::write(folder.path().join(image), "").unwrap();
        }
        let mut placed = Placed::new(vec![folder.path().to_owned()]);
        let (found, root) = placed.find(name).unwrap();
        let is_there = there.iter().any(|image| found.image() == Path::new(image));
        assert_eq!(root.is_some(), is_there, "{there:?}");
        found.image()
    }

    #[test]
    fn a_data_set_has_one_image_of_a_stem() {
        let (alone, twin) = (Name::new("a.jpg", "a"), Name::new("a.jpg", "a.jpg"));
        let third = Name::new("a.jpg", "a.jpg.2");
        for (name, there, expected) in [
            (&alone, &[][..], "a.jpg"),
            (&alone, &["a.png"], "a.jpg.jpg"),
            (&alone, &["a.jfif"], "a.jpg.jpg"),
            (&alone, &["a.JpG"], "a.jpg.jpg"),
            (&alone, &["a.json", "a.npy", "a.txt"], "a.jpg"),
            (&alone, &["a.png", "a.jpg.jpg"], "a.jpg.jpg"),
            (&alone, &["a.jpg", "a.png.png"], "a.jpg"),
            (&alone, &["a.png", "a.jpg.gif"], "a.jpg.2.jpg"),
            (
                &alone,
                &["a.png", "a.jpg.gif", "a.jpg.2.jpg"],
                "a.jpg.2.jpg",
            ),
            (&alone, &["a.jpg.gif", "a.jpg.2.jpg"], "a.jpg.2.jpg"),
            (&twin, &[], "a.jpg.jpg"),
            (&twin, &["a.jpg"], "a.jpg"),
            (&twin, &["a.png"], "a.jpg.jpg"),
            (&third, &[], "a.jpg.2.jpg"),
            (&third, &["a.jpg.2.png"], "a.jpg.jpg"),
        ] {
            assert_eq!(find(name, there), Path::new(expected), "{there:?}");
        }
    }

    #[test]
    fn images_of_this_run_count_like_those_that_were_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut placed = Placed::new(vec![folder.path().join("train"), folder.path().join("val")]);
        let first = Name::new("b/a.png", "b/a");
        assert_eq!(placed.find(&first).unwrap().0.image(), Path::new("b/a.png"));
        placed.add(&first).unwrap();
        let second = Name::new("b/a.gif", "b/a");
        let (second, _) = placed.find(&second).unwrap();
        assert_eq!(second.image(), Path::new("b/a.gif.gif"));
        let elsewhere = Name::new("c/a.gif", "c/a");
        let (elsewhere, _) = placed.find(&elsewhere).unwrap();
        assert_eq!(elsewhere.image(), Path::new("c/a.gif"));
    }
}
