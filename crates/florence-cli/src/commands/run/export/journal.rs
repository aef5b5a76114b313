//! Journal of an unfinished export: a JSON line per image, beside the target file. Its lines are
//! complete even after a crash, and the next run resumes from them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use florence_export::ImageRecord;
use serde_json::Value;

use super::about;
use super::lock::Lock;
use crate::commands::run::names::Name;

/// Written to by one process at a time.
#[derive(Debug)]
pub(super) struct Journal {
    /// Its path; `None` if the target is not a regular file and cannot be resumed.
    path: Option<PathBuf>,
    /// Created on the first write.
    file: Option<File>,
    /// The task and options, its first line.
    asked: Value,
    length: u64,
    lines: usize,
    /// The last line about each image.
    last: HashMap<Vec<u8>, usize>,
    _lock: Option<Lock>,
}

impl Journal {
    /// The journal of the file `target`, which another run may have left.
    pub(super) fn open(target: &Path, asked: Value) -> Result<Self, String> {
        let mut journal = Self {
            path: None,
            file: None,
            asked,
            length: 0,
            lines: 0,
            last: HashMap::new(),
            _lock: None,
        };
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        if fs::metadata(&target).is_ok_and(|there| !there.is_file()) {
            return Ok(journal);
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(about(folder))?;
        }
        let lock = beside(&target, ".lock");
        let lock = Lock::try_new(lock.clone()).map_err(about(&lock))?;
        if lock.is_none() {
            return Err(
                "another run is writing this file: wait for it, or choose another name".to_owned(),
            );
        }
        journal._lock = lock;
        let path = beside(&target, ".partial");
        match OpenOptions::new().read(true).append(true).open(&path) {
            Ok(file) => journal
                .read(file)
                .map_err(|problem| format!("{}: {problem}", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(about(&path)(error)),
        }
        journal.path = Some(path);
        Ok(journal)
    }

    /// The temporary files beside `target`.
    pub(super) fn files(target: &Path) -> [PathBuf; 2] {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        [".lock", ".partial"].map(|ending| beside(&target, ending))
    }

    /// Reads what another run left.
    fn read(&mut self, file: File) -> Result<(), String> {
        let other = |error: io::Error| error.to_string();
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        let advice = "finish it with the command that started it, or delete this file";
        loop {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(other)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            if self.length == 0 {
                let asked: Option<Value> = serde_json::from_slice(&line).ok();
                if asked.as_ref() != Some(&self.asked) {
                    return Err(format!(
                        "belongs to an unfinished run with another task or other options ({}, now {}): {advice}",
                        String::from_utf8_lossy(line.trim_ascii()),
                        self.asked
                    ));
                }
            } else {
                let record: ImageRecord = serde_json::from_slice(&line).map_err(|error| {
                    format!("line {}: {error}: delete this file", self.lines + 2)
                })?;
                self.count(&record);
            }
            self.length += line.len() as u64;
        }
        // Drops an incomplete last line.
        file.set_len(self.length).map_err(other)?;
        self.file = Some(file);
        Ok(())
    }

    fn count(&mut self, record: &ImageRecord) {
        let name = record.file_name_bytes.clone();
        let name = name.unwrap_or_else(|| record.file_name.clone().into_bytes());
        self.last.insert(name, self.lines);
        self.lines += 1;
    }

    /// Whether an image is in it, by its name.
    pub(super) fn has(&self, name: &Name) -> bool {
        let bytes = name.bytes();
        let bytes = bytes.unwrap_or_else(|| name.text().into_bytes());
        self.last.contains_key(&bytes)
    }

    /// The number of images in it.
    pub(super) fn images(&self) -> usize {
        self.last.len()
    }

    /// Its path, for messages.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Adds an image, completely or not at all; replaces an earlier record of it.
    pub(super) fn add(&mut self, record: &ImageRecord) -> Result<(), String> {
        let mut text = String::new();
        if self.length == 0 {
            text = format!("{}\n", self.asked);
        }
        let line = serde_json::to_string(record).map_err(|error| error.to_string())?;
        text.push_str(&line);
        text.push('\n');
        self.append(text.as_bytes()).map_err(|error| {
            let path = self
                .path
                .as_deref()
                .unwrap_or(Path::new("a temporary file"));
            about(path)(error)
        })?;
        self.length += text.len() as u64;
        self.count(record);
        Ok(())
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let file = match (&mut self.file, &self.path) {
            (Some(file), _) => file,
            (none, None) => none.insert(tempfile::tempfile()?),
            (none, Some(path)) => {
                let mut options = OpenOptions::new();
                none.insert(
                    options
                        .read(true)
                        .append(true)
                        .create_new(true)
                        .open(path)?,
                )
            }
        };
        let written = file.write_all(text);
        if written.is_err() {
            file.set_len(self.length)?;
        }
        written
    }

    /// Calls `take` for each image, in the order of their last lines.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(&ImageRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(mut file) = self.file.as_ref() else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(0))?;
        let mut lasts: Vec<usize> = self.last.values().copied().collect();
        lasts.sort_unstable();
        let mut lasts = lasts.into_iter().peekable();
        for (number, line) in BufReader::new(file).lines().skip(1).enumerate() {
            let line = line?;
            if lasts.next_if_eq(&number).is_some() {
                take(&serde_json::from_str(&line)?)?;
            }
        }
        Ok(())
    }

    /// Removes it, once the target is written.
    pub(super) fn remove(self) -> io::Result<()> {
        match (&self.file, &self.path) {
            (Some(_), Some(path)) => fs::remove_file(path),
            _ => Ok(()),
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
