//! What is wrong with `--export`, which should be said before a model is loaded.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use florence_tasks::{AnswerForm, Task};

use super::names::Names;
use super::told;
use crate::args::RunArgs;
use crate::commands::run::asked::Asked;
use crate::commands::run::is_image;
use crate::export_target::{Format, Target};
use crate::failure::Failure;

pub(in super::super) fn check(args: &RunArgs, asked: &Asked) -> Result<(), Failure> {
    if args.export.is_empty() {
        return Ok(());
    }
    let names = Names::new(args)?;
    let places = args
        .images
        .iter()
        .filter_map(|image| fs::canonicalize(image).ok());
    let places: HashSet<PathBuf> = places.collect();
    let mut taken = HashSet::new();
    for target in &args.export {
        let Target { format, path } = target;
        let is_written_over = |image: &PathBuf| {
            let file = names
                .of(image)
                .map(|name| path.join(name.file(format.ending())));
            let place = file.and_then(|file| fs::canonicalize(file).ok());
            place.is_some_and(|place| places.contains(&place))
        };
        let problem = if format.is_page() && asked.form() != AnswerForm::Quads {
            format!(
                "pages of text come from {}, not from {asked}",
                Task::OcrWithRegion
            )
        } else if let Some(problem) = asked.no_place() {
            problem
        } else if is_image(path, &args.images)
            || (*format != Format::Coco && args.images.iter().any(is_written_over))
        {
            "this is one of the images, which would be lost".to_owned()
        } else if *format == Format::Coco && path.is_dir() {
            "this is a folder: expected a file, which all images share".to_owned()
        } else if *format != Format::Coco && path.is_file() {
            "this is a file: expected a folder, for a file about each image".to_owned()
        } else if !taken.insert((path, format.ending())) {
            "two exports would write the same files: expected another path for each".to_owned()
        } else {
            continue;
        };
        return Err(Failure::Usage(told(path, problem)));
    }
    let formats: Vec<Format> = args.export.iter().map(|target| target.format).collect();
    let has = |wanted: [Format; 2]| formats.iter().any(|format| wanted.contains(format));
    if args.exports.classes.is_some() && !has([Format::Coco, Format::Yolo]) {
        let problem = "--classes: classes have numbers in coco= and yolo= only";
        return Err(Failure::Usage(problem.to_owned()));
    }
    if args.exports.dataset.is_some() && !has([Format::Yolo, Format::Voc]) {
        let problem = "--dataset: data sets with their images are written for yolo= and voc= only";
        return Err(Failure::Usage(problem.to_owned()));
    }
    Ok(())
}
