//! Names of image files.

use std::path::Path;

const EXTENSIONS: [&str; 10] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff",
];

/// Whether a file name has the extension of an image format that this crate can read with all features, for
/// listing folders. The format of a file is told by its first bytes alone.
///
/// # Example
///
/// ```
/// use florence_core::image::has_image_extension;
/// use std::path::Path;
///
/// assert!(has_image_extension(Path::new("photos/IMG_1.JPG")));
/// assert!(!has_image_extension(Path::new("photos/notes.txt")));
/// ```
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
