//! Detects exports that would write the same files or overwrite an image.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::mask_name::is_mask;
use super::placed;

/// Files that an export writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// This file.
    File(PathBuf),
    /// All files below a folder with this extension.
    Endings(PathBuf, &'static str),
    /// All images below a folder.
    Images(PathBuf),
    /// All masks below a folder.
    Masks(PathBuf),
}

/// The files that exports write, with their owners.
#[derive(Debug, Default)]
pub(super) struct Claims<'a> {
    files: HashMap<PathBuf, &'a str>,
    folders: Vec<(Claim, &'a str)>,
    real: RealPaths,
}

impl<'a> Claims<'a> {
    /// Adds the files of `owner`; returns another owner of any of them.
    pub(super) fn add(&mut self, owner: &'a str, claims: Vec<Claim>) -> Option<&'a str> {
        let claims: Vec<Claim> = claims.into_iter().map(|claim| self.real(claim)).collect();
        let other = claims.iter().find_map(|claim| self.owner(claim));
        for claim in claims {
            match claim {
                Claim::File(path) => {
                    self.files.insert(path, owner);
                }
                folder => self.folders.push((folder, owner)),
            }
        }
        other
    }

    /// The owner of the file at this path.
    pub(super) fn owner_of(&mut self, path: &Path) -> Option<&'a str> {
        let path = self.real.of(path);
        // An image inside a data set may be one of its images.
        self.owner_of_file(&path, |folder| !matches!(folder, Claim::Images(_)))
    }

    fn owner_of_file(&self, path: &Path, counts: impl Fn(&Claim) -> bool) -> Option<&'a str> {
        let mut folders = self.folders.iter();
        let mut folder = || folders.find(|(folder, _)| counts(folder) && folder.has(path));
        let file = self.files.get(path).copied();
        file.or_else(|| folder().map(|(_, owner)| *owner))
    }

    fn owner(&self, claim: &Claim) -> Option<&'a str> {
        if let Claim::File(path) = claim {
            return self.owner_of_file(path, |_| true);
        }
        let mut files = self.files.iter().filter(|(path, _)| claim.has(path));
        let mut folders = self.folders.iter().filter(|(other, _)| claim.meets(other));
        let file = files.next().map(|(_, owner)| *owner);
        file.or_else(|| folders.next().map(|(_, owner)| *owner))
    }

    fn real(&mut self, claim: Claim) -> Claim {
        match claim {
            Claim::File(path) => Claim::File(self.real.of(&path)),
            Claim::Endings(folder, ending) => Claim::Endings(self.real.of(&folder), ending),
            Claim::Images(folder) => Claim::Images(self.real.of(&folder)),
            Claim::Masks(folder) => Claim::Masks(self.real.of(&folder)),
        }
    }
}

impl Claim {
    /// Whether a file is among them.
    fn has(&self, path: &Path) -> bool {
        match self {
            Self::File(file) => file == path,
            Self::Endings(folder, ending) => {
                path.starts_with(folder) && path.extension().is_some_and(|found| found == *ending)
            }
            Self::Images(folder) => {
                path.starts_with(folder) && path.file_name().is_some_and(placed::is_image)
            }
            Self::Masks(folder) => {
                path.starts_with(folder) && path.file_name().is_some_and(is_mask)
            }
        }
    }

    /// Whether one of two folders contains the other, for the same files.
    fn meets(&self, other: &Self) -> bool {
        let (a, b) = match (self, other) {
            (Self::Endings(a, one), Self::Endings(b, two)) if one == two => (a, b),
            (Self::Images(a) | Self::Masks(a), Self::Images(b) | Self::Masks(b)) => (a, b),
            _ => return false,
        };
        a.starts_with(b) || b.starts_with(a)
    }
}

/// Resolves paths that may not exist yet.
#[derive(Debug, Default)]
struct RealPaths {
    folders: HashMap<PathBuf, PathBuf>,
}

impl RealPaths {
    /// With links of the existing part followed, and without `..`.
    fn of(&mut self, path: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return real(path);
        };
        // Of a name alone it is empty.
        let found = self.folders.entry(Path::new(".").join(folder));
        let folder = found.or_insert_with_key(|folder| real(folder));
        let place = folder.join(name);
        fs::canonicalize(&place).unwrap_or(place)
    }
}

fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut place = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                place.pop();
            }
            component => {
                place.push(component);
                place = fs::canonicalize(&place).unwrap_or(place);
            }
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_in_other_words_is_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(folder.join("there")).unwrap();
        for (path, place) in [
            ("w/../w", "w"),
            ("nope/../w", "w"),
            ("there/../w/./x", "w/x"),
            ("there/nope/../..", ""),
            ("there", "there"),
        ] {
            let place = folder.join(place);
            assert_eq!(RealPaths::default().of(&folder.join(path)), place, "{path}");
        }
    }

    #[test]
    fn files_and_folders_meet_where_a_file_would_be_of_both() {
        let file = |path: &str| Claim::File(path.into());
        let all = |path: &str, ending| Claim::Endings(path.into(), ending);
        let images = |path: &str| Claim::Images(path.into());
        let masks = |path: &str| Claim::Masks(path.into());
        for (a, b, meet) in [
            (file("/no/a.txt"), file("/no/a.txt"), true),
            (file("/no/a.txt"), file("/no/b.txt"), false),
            (file("/no/l/train/a.txt"), all("/no/l", "txt"), true),
            (file("/no/l/train/a.json"), all("/no/l", "txt"), false),
            (file("/no/i/train/a.json"), images("/no/i"), false),
            (file("/no/i/train/a.png"), images("/no/i"), true),
            (all("/no/l", "txt"), all("/no", "txt"), true),
            (all("/no/l", "txt"), all("/no/k", "txt"), false),
            (images("/no/i/JPEGImages"), images("/no/i"), true),
            (images("/no/i"), all("/no/i", "xml"), false),
            (masks("/no/m"), masks("/no/m/a"), true),
            (masks("/no/m"), images("/no/m"), true),
            (file("/no/m/a/b.mask-001-car.png"), masks("/no/m"), true),
            (file("/no/m/b.png"), masks("/no/m"), false),
        ] {
            for (a, b) in [(&a, &b), (&b, &a)] {
                let mut claims = Claims::default();
                assert_eq!(claims.add("a", vec![a.clone()]), None);
                let met = claims.add("b", vec![b.clone()]);
                assert_eq!(met, meet.then_some("a"), "{a:?} {b:?}");
            }
        }
    }
}
