//! The split lists of a Pascal VOC data set.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::about;
use super::dataset::Split;

/// `ImageSets/Main`: a line for each image in `train.txt` or `val.txt`, and in `trainval.txt`.
#[derive(Debug)]
pub(super) struct Sets {
    folder: PathBuf,
    known: HashMap<Vec<u8>, Split>,
}

impl Sets {
    /// Reads the existing lists.
    pub(super) fn open(folder: PathBuf) -> Result<Self, String> {
        let mut known = HashMap::new();
        for split in Split::ALL {
            let path = list(&folder, split.name());
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(about(&path)(error)),
            };
            let lines = text.split(|byte| *byte == b'\n');
            let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            let lines = lines.filter(|line| !line.is_empty());
            known.extend(lines.map(|line| (line.to_vec(), split)));
        }
        Ok(Self { folder, known })
    }

    /// The split of an image.
    pub(super) fn part(&self, stem: &Path) -> Option<Split> {
        self.known.get(&line(stem)).copied()
    }

    /// Adds an image, unless it is listed.
    pub(super) fn add(&mut self, stem: &Path, split: Split) -> Result<(), String> {
        let name = line(stem);
        if self.known.contains_key(&name) {
            return Ok(());
        }
        if name.contains(&b'\n') {
            let problem = "a name that contains a line break cannot be listed in ImageSets/Main";
            return Err(format!("{}: {problem}", stem.display()));
        }
        for part in ["trainval", split.name()] {
            let path = list(&self.folder, part);
            append(&path, &name).map_err(about(&path))?;
        }
        self.known.insert(name, split);
        Ok(())
    }
}

fn list(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.txt"))
}

fn line(stem: &Path) -> Vec<u8> {
    let parts: Vec<&[u8]> = stem.iter().map(|part| part.as_encoded_bytes()).collect();
    parts.join(&b'/')
}

/// Adds a complete line or nothing; other processes may do so too.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    file.lock().or_else(super::lock::unlockable)?;
    let length = file.metadata()?.len();
    let before = if ends_within_a_line(&mut file, length)? {
        "\n"
    } else {
        ""
    };
    file.write_all(&[before.as_bytes(), line, b"\n"].concat())
        .and_then(|()| file.sync_data())
        .inspect_err(|_| {
            let _ = file.set_len(length);
        })
}

/// Whether the last line has no end, as some editors leave it.
fn ends_within_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte != *b"\n")
}
