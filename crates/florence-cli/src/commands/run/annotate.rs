//! `florence run --annotate FILE`: draws the answer on a copy of one image.

use std::io;
use std::path::Path;

use florence_tasks::{AnyOutput, AnyTask};
use image::DynamicImage;

use super::asked::no_location;
use super::drawing::Drawing;
use super::{is_image, whole};
use crate::args::{Annotate, RunArgs};
use crate::failure::Failure;
use crate::stderr::tell;

const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "svg"];

/// Checks `--annotate FILE` before the model is loaded.
pub(super) fn check(args: &RunArgs, task: &AnyTask) -> Result<(), Failure> {
    let Some(Annotate::File(path)) = args.annotate() else {
        return Ok(());
    };
    let ending = path.extension().unwrap_or_default();
    let problem = if !ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
    {
        "expected a file that ends in .png, .jpg or .svg, or a folder, whose name has no ending or exists".to_owned()
    } else if args.images.len() > 1 {
        let images = args.images.len();
        let ending = ending.display();
        format!(
            "expected one image, got {images}; for a picture of each a folder, a name without .{ending}"
        )
    } else if let Some(problem) = no_location(task) {
        problem
    } else if let Some(folder) = missing_folder(path) {
        format!("the folder {} does not exist", folder.display())
    } else if is_image(path, &args.images) {
        "this would overwrite the image itself".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::Usage(format!(
        "--annotate {}: {problem}",
        path.display()
    )))
}

fn missing_folder(path: &Path) -> Option<&Path> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""))?;
    (!folder.is_dir()).then_some(folder)
}

/// Writes the image with the answer drawn on it, upright whatever its EXIF orientation.
pub(super) fn write(path: &Path, image: &DynamicImage, answer: &AnyOutput) -> Result<(), Failure> {
    let drawing = Drawing::new(answer);
    whole::with_path(path, |path| {
        drawing.save(path, image).map_err(io::Error::other)
    })
    .map_err(|error| Failure::Other(format!("--annotate {}: {error}", path.display())))?;
    if drawing.is_turned() {
        tell(format_args!(
            "--annotate {}: the photo has EXIF orientation {} and is drawn upright",
            path.display(),
            drawing.stored.to_exif()
        ));
    }
    Ok(())
}
