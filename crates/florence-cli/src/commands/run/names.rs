//! Image names in exports and pictures: paths relative to the folder that contains all images.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::args::RunArgs;
use crate::failure::Failure;

/// The names of a run's images.
#[derive(Debug, Default)]
pub(super) struct Names {
    root: PathBuf,
    by_image: HashMap<PathBuf, Name>,
    shared_stems: usize,
}

/// The name of an image: a path relative to a folder, never outside of it.
#[derive(Debug, Clone)]
pub(super) struct Name {
    path: PathBuf,
    stem: PathBuf,
    /// Whether its whole name is the stem of another image.
    is_stem: bool,
}

impl Name {
    #[cfg(test)]
    pub(super) fn new(path: &str, stem: &str) -> Self {
        Self {
            path: path.into(),
            stem: stem.into(),
            is_stem: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// With `/` as separator, and U+FFFD for invalid UTF-8.
    pub(super) fn text(&self) -> String {
        joined(&self.path)
    }

    /// The exact name if it is not UTF-8.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let is_text = self.path.to_str().is_some();
        (!is_text).then(|| self.path.as_os_str().as_encoded_bytes().to_vec())
    }

    /// Its folder, relative like the name.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The name of its file, without the folder.
    pub(super) fn alone(&self) -> Self {
        let alone = |path: &Path| PathBuf::from(path.file_name().unwrap_or_default());
        Self {
            path: alone(&self.path),
            stem: alone(&self.stem),
            is_stem: self.is_stem,
        }
    }

    /// The name of the image in a data set: one stem, one image.
    pub(super) fn image(&self) -> PathBuf {
        match self.path.extension() {
            Some(ending) => ended(&self.stem, ending),
            None => self.stem.clone(),
        }
    }

    /// The same, by the name of the image in a data set.
    pub(super) fn in_data_set(&self) -> Self {
        Self {
            path: self.image(),
            stem: self.stem.clone(),
            is_stem: self.is_stem,
        }
    }

    /// The same, with the extension in its stem if an earlier run needed that to tell it apart from
    /// another image: if `is_there` says so of the stem, and no image of this run has it.
    pub(super) fn as_before(&self, is_there: impl FnOnce(&Self) -> bool) -> Self {
        let whole = self.with_stem(&self.path);
        if !self.is_stem && is_there(&whole) {
            whole
        } else {
            self.clone()
        }
    }

    /// The annotation files that an export without images may write.
    pub(super) fn files(&self, ending: &str) -> impl Iterator<Item = PathBuf> {
        let whole = (!self.is_stem).then(|| self.with_stem(&self.path).file(ending));
        std::iter::once(self.file(ending)).chain(whole)
    }

    /// The same with the name without its extension as the stem.
    pub(super) fn plain(&self) -> Self {
        self.with_stem(&self.path.with_extension(""))
    }

    /// The same with stems that tell it apart from images that differ in the extension only: with
    /// the extension, and with a number too.
    pub(super) fn distinct(&self) -> impl Iterator<Item = Self> {
        distinct(&self.path).map(|stem| self.with_stem(&stem))
    }

    fn with_stem(&self, stem: &Path) -> Self {
        Self {
            path: self.path.clone(),
            stem: stem.to_owned(),
            is_stem: self.is_stem,
        }
    }

    /// The name without its extension, or with it if another image has the same without.
    pub(super) fn stem(&self) -> &Path {
        &self.stem
    }

    /// The name of the image's annotation file.
    pub(super) fn file(&self, ending: &str) -> PathBuf {
        ended(&self.stem, ending)
    }
}

impl Names {
    pub(super) fn new(args: &RunArgs) -> Result<Self, Failure> {
        let places: Vec<PathBuf> = args.images.iter().map(|image| place(image)).collect();
        let given = args.exports.images_root.as_deref();
        let given = given.map(|root| {
            let folder = fs::canonicalize(root).ok().filter(|folder| folder.is_dir());
            folder.ok_or_else(|| {
                let problem = format!("--images-root {}: no such folder", root.display());
                Failure::Usage(problem)
            })
        });
        let root = match given.transpose()? {
            Some(root) => {
                let outside = args.images.iter().zip(&places);
                let mut outside =
                    outside.filter(|(image, place)| image.exists() && !place.starts_with(&root));
                if let Some((image, _)) = outside.next() {
                    return Err(Failure::Usage(format!(
                        "--images-root {}: {} is not in it",
                        root.display(),
                        image.display()
                    )));
                }
                Some(root)
            }
            None => common_folder(&that_exist(&args.images, &places))
                .filter(|root| root.parent().is_some()),
        };
        let paths = match &root {
            Some(root) => relative(&places, root),
            None => bare(&places),
        };
        let (stems, shared_stems) = stems(&paths);
        let taken: HashSet<PathBuf> = stems.iter().cloned().collect();
        let named = paths.into_iter().zip(stems).map(|(path, stem)| Name {
            is_stem: path != stem && taken.contains(&path),
            path,
            stem,
        });
        Ok(Self {
            root: root.unwrap_or_default(),
            by_image: args.images.iter().cloned().zip(named).collect(),
            shared_stems,
        })
    }

    /// The name of an image that was given.
    pub(super) fn of(&self, image: &Path) -> Option<&Name> {
        self.by_image.get(image)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Name> {
        self.by_image.values()
    }

    /// The folder that names are relative to; empty if there is none.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What is said about files with this ending if images share a stem.
    pub(super) fn shared_stems(&self, ending: &str) -> Option<String> {
        let count = self.shared_stems;
        (count > 0).then(|| {
            format!(
                "{count} images differ from another only in their extension: their files keep it, such as \
                 a.png.{ending}"
            )
        })
    }
}

/// The path of an image, with links in its folders followed; if the image itself is a link, it keeps
/// its name.
fn place(image: &Path) -> PathBuf {
    let folder = match image.parent() {
        Some(folder) if folder == Path::new("") => Path::new("."),
        Some(folder) => folder,
        None => image,
    };
    match (fs::canonicalize(folder), image.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(image).unwrap_or_else(|_| image.to_owned()),
    }
}

/// The paths of images that exist, so that a misspelt one renames no other; all if none exists.
fn that_exist(images: &[PathBuf], places: &[PathBuf]) -> Vec<PathBuf> {
    let existing = images.iter().zip(places);
    let existing = existing.filter(|(image, _)| image.exists());
    let existing: Vec<PathBuf> = existing.map(|(_, place)| place.clone()).collect();
    if existing.is_empty() {
        places.to_vec()
    } else {
        existing
    }
}

/// The deepest folder that contains all of these.
pub(super) fn common_folder(places: &[PathBuf]) -> Option<PathBuf> {
    let mut folders = places.iter().filter_map(|place| place.parent());
    let first = folders.next()?.to_owned();
    folders.try_fold(first, |common, folder| {
        let shared = common.ancestors().find(|shared| folder.starts_with(shared));
        shared.map(Path::to_owned)
    })
}

fn relative(places: &[PathBuf], root: &Path) -> Vec<PathBuf> {
    let below = |place: &PathBuf| within(place.strip_prefix(root).unwrap_or(place));
    places.iter().map(below).collect()
}

/// The names of images without a common folder: file names, or whole paths where those are
/// not unique.
fn bare(places: &[PathBuf]) -> Vec<PathBuf> {
    let names = places.iter().map(|place| place.file_stem());
    let distinct: HashSet<_> = names.collect();
    let images: HashSet<_> = places.iter().collect();
    if distinct.len() < images.len() {
        return places.iter().map(|place| within(place)).collect();
    }
    let name = |place: &PathBuf| PathBuf::from(place.file_name().unwrap_or(place.as_os_str()));
    places.iter().map(name).collect()
}

/// Without roots and `..`.
pub(super) fn within(path: &Path) -> PathBuf {
    let components = path.components();
    components
        .filter(|component| matches!(component, Component::Normal(_)))
        .collect()
}

/// The stems of annotation files, all different. Counts the images that differ from another only in
/// their extension.
fn stems(paths: &[PathBuf]) -> (Vec<PathBuf>, usize) {
    let mut images: HashMap<PathBuf, HashSet<&PathBuf>> = HashMap::new();
    for path in paths {
        let stem = path.with_extension("");
        images.entry(stem).or_default().insert(path);
    }
    let is_shared = |path: &PathBuf| images[&path.with_extension("")].len() > 1;
    let alone = paths.iter().filter(|path| !is_shared(path));
    let mut taken: HashSet<PathBuf> = alone.map(|path| path.with_extension("")).collect();
    let mut stems: HashMap<&PathBuf, PathBuf> = HashMap::new();
    for path in paths.iter().filter(|path| is_shared(path)) {
        stems.entry(path).or_insert_with(|| {
            let free = distinct(path).find(|stem| !taken.contains(stem));
            let free = free.unwrap_or_else(|| path.clone());
            taken.insert(free.clone());
            free
        });
    }
    let shared = stems.len();
    let stem = |path: &PathBuf| stems.get(path).cloned();
    let all = paths.iter();
    let all = all.map(|path| stem(path).unwrap_or_else(|| path.with_extension("")));
    (all.collect(), shared)
}

/// A name with its extension, followed by a number.
fn distinct(path: &Path) -> impl Iterator<Item = PathBuf> {
    let mark = path.extension().map_or("-", |_| ".");
    let numbered = (2..).map(move |number: u32| {
        let mut name = OsString::from(path);
        name.push(format!("{mark}{number}"));
        PathBuf::from(name)
    });
    std::iter::once(path.to_owned()).chain(numbered)
}

fn ended(stem: &Path, ending: impl AsRef<std::ffi::OsStr>) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// With `/` as separator on every system.
fn joined(path: &Path) -> String {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn names_start_at_the_deepest_common_folder() {
        let places = paths(&["/data/a/1.png", "/data/b/c/1.png"]);
        let root = common_folder(&places).unwrap();
        assert_eq!(root, Path::new("/data"));
        assert_eq!(relative(&places, &root), paths(&["a/1.png", "b/c/1.png"]));
        let places = paths(&["/data/a/1.png", "/data/ab/1.png"]);
        assert_eq!(common_folder(&places).unwrap(), Path::new("/data"));
        assert_eq!(
            common_folder(&paths(&["/x/1.png"])).unwrap(),
            Path::new("/x")
        );
    }

    #[test]
    fn images_with_nothing_in_common_keep_short_names_where_these_differ() {
        let places = paths(&["/x/1.png", "/y/2.png", "/x/1.png"]);
        assert_eq!(bare(&places), paths(&["1.png", "2.png", "1.png"]));
        assert_eq!(
            bare(&paths(&["/x/1.png", "/y/1.jpg"])),
            paths(&["x/1.png", "y/1.jpg"])
        );
    }

    #[test]
    fn files_about_images_never_share_a_name() {
        let names = paths(&[
            "a.png",
            "a.jpg",
            "b.png",
            "a.png.gif",
            "a.png",
            "c/a.png",
            ".png",
        ]);
        let (stems, shared) = stems(&names);
        // "a.png" is what the file about "a.png.gif" is called.
        assert_eq!(
            stems,
            paths(&["a.png.2", "a.jpg", "b", "a.png", "a.png.2", "c/a", ".png"])
        );
        assert_eq!(shared, 2);
    }

    #[test]
    fn the_common_folder_contains_all() {
        let common = |images: &[&str]| {
            common_folder(&images.iter().map(PathBuf::from).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(common(&["a/b/c.png", "a/b/d/e.png"]), Path::new("a/b"));
        assert_eq!(common(&["a/b.png", "c/d.png"]), Path::new(""));
        assert_eq!(common(&["b.png"]), Path::new(""));
    }

    #[test]
    fn names_do_not_lead_out_of_their_folder() {
        assert_eq!(within(Path::new("/../a/../b.png")), Path::new("a/b.png"));
    }
}
