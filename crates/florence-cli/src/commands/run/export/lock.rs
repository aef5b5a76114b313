//! Lock files between processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use same_file::Handle;

/// A file that is locked until this is dropped, and then removed. The lock ends with the process;
/// a stale file locks nothing.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock; `None` if another process has it.
    pub(super) fn try_new(path: PathBuf) -> io::Result<Option<Self>> {
        loop {
            let file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => unlockable(error)?,
            }
            if is_at(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }

    /// Waits for the lock.
    pub(super) fn wait(path: PathBuf) -> io::Result<Self> {
        loop {
            let file = open(&path)?;
            file.lock().or_else(unlockable)?;
            if is_at(&file, &path) {
                return Ok(Self { file, path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed before it is unlocked, so that waiters see that it is another file.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).open(path)
}

/// Some network file systems have no locks; there the file counts as locked by us.
pub(super) fn unlockable(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    }
}

/// Whether the file still has this name, and was not removed since.
fn is_at(file: &File, path: &Path) -> bool {
    let named = Handle::from_path(path).ok();
    let ours = file.try_clone().and_then(Handle::from_file).ok();
    named.is_some() && named == ours
}
