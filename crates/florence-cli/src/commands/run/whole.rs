//! Atomic file writes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Writes a file and its folders; returns whether it replaced another one.
pub(super) fn write(path: &Path, contents: &[u8]) -> io::Result<bool> {
    let was_there = path.exists();
    with(path, |file| file.write_all(contents))?;
    Ok(was_there)
}

/// Writes a temporary file and renames it once it is complete. Pipes, devices and the like are
/// written directly.
pub(super) fn with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let Some(file) = Unfinished::new(path, ".partial".as_ref())? else {
        return fill(&mut OpenOptions::new().write(true).open(path)?);
    };
    file.finish(|file| fill(file.as_file_mut()))
}

/// The same for a writer that needs a path with the extension.
pub(super) fn with_path<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let mut ending = OsString::from(".");
    ending.push(path.extension().unwrap_or_default());
    match Unfinished::new(path, &ending)? {
        None => fill(path),
        Some(file) => file.finish(|file| fill(file.path())),
    }
}

/// The same for a file that `make` puts at a path.
pub(super) fn moved(path: &Path, make: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let made = Builder::new().prefix(PREFIX).make_in(folder, make)?;
    made.into_temp_path().persist(path)?;
    Ok(())
}

/// Whether a file is a temporary one, by its name.
pub(super) fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

const PREFIX: &str = ".florence-";

struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
}

impl Unfinished {
    /// `None` if the target is not a regular file.
    fn new(path: &Path, ending: &OsStr) -> io::Result<Option<Self>> {
        // A link stays, its target is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let there = fs::metadata(&path).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            return Ok(None);
        }
        let permissions = there.map(|there| there.permissions());
        if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let folder = folder(&path);
        fs::create_dir_all(folder)?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(ending);
        // Whoever may read new files may read this one.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder)?;
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        Ok(Some(Self { file, path }))
    }

    fn finish<E: From<io::Error>>(
        mut self,
        fill: impl FnOnce(&mut NamedTempFile) -> Result<(), E>,
    ) -> Result<(), E> {
        fill(&mut self.file)?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}
