//! The images of a call: files, folders, patterns and lists.

mod folder;
mod list;
mod own;
mod pattern;

use std::path::{Path, PathBuf};

use self::own::Own;
use crate::failure::Failure;

/// Expands folders, patterns and the list `from`, in the order given and inside of folders by name;
/// of folders and patterns without the files and folders that the call itself writes.
///
/// # Errors
///
/// A folder, pattern or list that cannot be read, or that has no image.
pub(crate) fn expand(
    given: &[PathBuf],
    from: Option<&Path>,
    recursive: bool,
    own: &[PathBuf],
) -> Result<Vec<PathBuf>, Failure> {
    let listed = from.map(list::read).transpose()?.unwrap_or_default();
    let own = Own::new(own);
    let mut images = Vec::new();
    for path in given.iter().cloned().chain(listed) {
        if path.is_dir() {
            images.extend(folder::images(&path, recursive, &own)?);
        } else if let Some(pattern) = pattern::of(&path) {
            images.extend(pattern::images(pattern, &own)?);
        } else {
            images.push(path);
        }
    }
    if images.is_empty() {
        let from = from.unwrap_or(Path::new(""));
        return Err(Failure::Input(format!(
            "--from {}: the list is empty: expected one path per line",
            from.display()
        )));
    }
    Ok(images)
}

/// Whether the name of a file or folder starts with a dot.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".")
}
