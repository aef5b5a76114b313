//! What is wrong with `--export`, which should be said before a model is loaded.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
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
    let mut written = args
        .annotate
        .iter()
        .map(|path| (resolved(path), format!("--annotate {}", path.display())))
        .collect::<HashMap<_, _>>();
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
        } else if let Some(other) = files(target, &names, args)
            .into_iter()
            .find_map(|file| written.insert(file, told_target(target)))
        {
            format!(
                "two exports would write the same files, this and {other}: expected another path \
                 for each"
            )
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

/// All files that an export writes, by where they really are.
fn files(target: &Target, names: &Names, args: &RunArgs) -> HashSet<PathBuf> {
    let Target { format, path } = target;
    let place = resolved(path);
    let folder = match (format, args.exports.dataset) {
        (Format::Coco, _) => return HashSet::from([place]),
        (Format::Yolo, Some(_)) => place.join("labels"),
        (Format::Voc, Some(_)) => place.join("Annotations"),
        _ => place.clone(),
    };
    let about = args.images.iter().filter_map(|image| names.of(image));
    let mut files: HashSet<PathBuf> = about
        .map(|name| folder.join(name.file(format.ending())))
        .collect();
    if *format == Format::Yolo {
        files.insert(place.join("data.yaml"));
    }
    files
}

fn told_target(Target { format, path }: &Target) -> String {
    let format = format.to_possible_value();
    let format = format.as_ref().map_or("", |format| format.get_name());
    format!("--export {format}={}", path.display())
}

/// Where a path leads that may not exist yet: links among the folders that do are followed.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing: Vec<OsString> = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(mut found) = fs::canonicalize(there) {
            found.extend(missing.iter().rev());
            return found;
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name.to_owned());
                there = parent;
            }
            _ => return absolute,
        }
    }
}
