//! Patterns such as `photos/*.jpg`, which Windows shells pass on and others do when quoted.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use florence_core::image::has_image_extension;

use super::is_hidden;
use super::own::Own;
use crate::failure::Failure;

/// The pattern that a path is, if no file has this name.
pub(super) fn of(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let is_pattern = text.contains(['*', '?', '[']) && path.symlink_metadata().is_err();
    is_pattern.then_some(text)
}

/// The images that match, by name, without what is `own`.
pub(super) fn images(pattern: &str, own: &Own) -> Result<Vec<PathBuf>, Failure> {
    let options = MatchOptions {
        case_sensitive: !cfg!(windows),
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob_with(pattern, options)
        .map_err(|error| Failure::Usage(format!("{pattern:?}: no pattern for images: {error}")))?;
    let fixed = Path::new(pattern).iter();
    let fixed = fixed.take_while(|part| !part.to_string_lossy().contains(['*', '?', '[']));
    let base: PathBuf = fixed.collect();
    let mut images = Vec::new();
    for path in found {
        let path = path.map_err(|error| Failure::Input(error.to_string()))?;
        let is_taken = has_image_extension(&path) && !is_hidden(&path) && !path.is_dir();
        if is_taken && !own.has_below(&base, &path) {
            images.push(path);
        }
    }
    if images.is_empty() {
        return Err(Failure::Input(format!(
            "{pattern:?}: no image matches this pattern"
        )));
    }
    Ok(images)
}
