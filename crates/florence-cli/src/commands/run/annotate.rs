//! `florence run --annotate`: draws the answer on a copy of the image.

use std::io;
use std::path::Path;

use florence_core::image::to_rgb;
use florence_postprocess::Orientation;
use florence_tasks::draw::{self, Style};
use image::DynamicImage;

use florence_tasks::{AnyOutput, AnyTask};

use super::asked::no_location;
use super::{frame, is_image, whole};
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::stderr::tell;

const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "svg"];

/// Checks `--annotate` before the model is loaded.
pub(super) fn check(args: &RunArgs, task: &AnyTask) -> Result<(), Failure> {
    let Some(path) = &args.annotate else {
        return Ok(());
    };
    let ending = path.extension().unwrap_or_default();
    let problem = if !ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
    {
        "expected a file that ends in .png, .jpg or .svg".to_owned()
    } else if args.images.len() > 1 {
        format!("expected one image, got {}", args.images.len())
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
    let stored = frame::stored(answer.image_notes());
    let marks = frame::upright_marks(answer, stored, answer.size());
    let mut upright = DynamicImage::from(to_rgb(image).into_owned());
    if let Some(orientation) = image::metadata::Orientation::from_exif(stored.to_exif()) {
        upright.apply_orientation(orientation);
    }
    let upright = upright.into_rgb8();
    whole::with_path(path, |path| {
        draw::save(path, &upright, &marks, &Style::default()).map_err(io::Error::other)
    })
    .map_err(|error| Failure::Other(format!("--annotate {}: {error}", path.display())))?;
    if stored != Orientation::Upright {
        tell(format_args!(
            "--annotate {}: the photo has EXIF orientation {} and is drawn upright",
            path.display(),
            stored.to_exif()
        ));
    }
    Ok(())
}
