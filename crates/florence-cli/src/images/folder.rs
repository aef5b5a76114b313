//! The images of a folder.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use florence_core::image::has_image_extension;

use super::is_hidden;
use super::own::Own;
use crate::failure::Failure;
use crate::stderr::tell;

/// All images of a folder, by name; of its subfolders too if `recursive`. Hidden ones are skipped,
/// and the `own` files and folders of the call.
pub(super) fn images(folder: &Path, recursive: bool, own: &Own) -> Result<Vec<PathBuf>, Failure> {
    let depth = if recursive { usize::MAX } else { 1 };
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .max_depth(depth)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0 || !(is_hidden(entry.path()) || own.has(entry.path()))
        });
    let mut images = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => (),
            Ok(entry) => {
                images.extend(Some(entry.into_path()).filter(|path| has_image_extension(path)))
            }
            // A link to nothing is an image that cannot be read; a folder does not stop the others.
            Err(error) => match error.path().filter(|path| has_image_extension(path)) {
                Some(path) => images.push(path.to_owned()),
                None => tell(error),
            },
        }
    }
    if images.is_empty() {
        return Err(Failure::Input(format!(
            "{}: this folder has no images: expected files ending in .png, .jpg, .webp, .gif, .bmp or .tiff",
            folder.display()
        )));
    }
    Ok(images)
}
