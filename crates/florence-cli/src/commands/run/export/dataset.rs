//! `--dataset`: exports that include the images, split into train and validation.

use std::fs;
use std::io;
use std::path::Path;

use super::about;
use crate::commands::run::whole;
use crate::export_target::{ExportArgs, Images};

/// How images are put into a data set, and into which split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dataset {
    images: Images,
    val: f64,
    seed: u64,
}

/// The splits of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    Train,
    Val,
}

impl Split {
    pub(super) const ALL: [Self; 2] = [Self::Train, Self::Val];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }
}

impl Dataset {
    pub(super) fn new(args: &ExportArgs) -> Option<Self> {
        args.dataset.map(|images| Self {
            images,
            val: args.val,
            seed: args.seed,
        })
    }

    /// The split of a name, independent of other images: a data set that grows keeps its splits.
    pub(super) fn split(&self, name: &str) -> Split {
        let bytes = self.seed.to_le_bytes().into_iter().chain(name.bytes());
        // FNV-1a, and SplitMix64's finalizer to spread it over all bits.
        let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
        let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
        if share < self.val {
            Split::Val
        } else {
            Split::Train
        }
    }

    /// Refuses to replace another image.
    pub(super) fn check_place(&self, image: &Path, to: &Path) -> Result<(), String> {
        if !to.exists() || is_same_image(image, to).map_err(about(to))? {
            return Ok(());
        }
        Err(format!(
            "{} is a different image than {}: expected another data set, or --images-root to tell \
             images of the same name in different folders apart",
            to.display(),
            image.display()
        ))
    }

    /// Puts an image into the data set, unless it is there already.
    pub(super) fn place(&self, image: &Path, to: &Path) -> Result<(), String> {
        self.check_place(image, to)?;
        let placed = fs::canonicalize(image).and_then(|image| {
            if same_file::is_same_file(&image, to).unwrap_or(false) {
                return Ok(());
            }
            whole::moved(to, |to| match self.images {
                Images::Link => link(&image, to),
                Images::Copy => copy(&image, to),
            })
        });
        placed.map_err(about(to))
    }
}

/// Whether two files are the same or have the same bytes.
pub(super) fn is_same_image(a: &Path, b: &Path) -> io::Result<bool> {
    if same_file::is_same_file(a, b).unwrap_or(false) {
        return Ok(true);
    }
    let (there, other) = (fs::metadata(a)?, fs::metadata(b)?);
    Ok(other.is_file() && there.len() == other.len() && fs::read(a)? == fs::read(b)?)
}

/// A hard link, else a symbolic link, else a copy.
fn link(image: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(image, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    #[cfg(unix)]
    match std::os::unix::fs::symlink(image, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    copy(image, to)
}

fn copy(image: &Path, to: &Path) -> io::Result<()> {
    let mut from = fs::File::open(image)?;
    let mut to = fs::File::create_new(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_fixed_by_name_and_seed_and_have_their_share() {
        let dataset = |val, seed| Dataset {
            images: Images::Copy,
            val,
            seed,
        };
        let val = |set: Dataset| -> Vec<usize> {
            let is_val = |n: &usize| set.split(&format!("a/{n:05}.png")) == Split::Val;
            (0..10_000).filter(is_val).collect()
        };
        let tenth = val(dataset(0.1, 0));
        assert!((900..1100).contains(&tenth.len()), "{}", tenth.len());
        assert_eq!(tenth, val(dataset(0.1, 0)));
        assert_ne!(tenth, val(dataset(0.1, 1)));
        let fifth = val(dataset(0.2, 0));
        assert!(
            tenth.iter().all(|n| fifth.contains(n)),
            "a larger fraction takes more"
        );
        assert!(val(dataset(0.0, 0)).is_empty());
        assert_eq!(val(dataset(1.0, 0)).len(), 10_000);
    }
}
