//! Checks `--export` before the model is loaded.

use std::path::Path;

use clap::ValueEnum;
use florence_tasks::{AnswerForm, AnyTask, Task};

use super::claims::{Claim, Claims};
use super::coco::Coco;
use super::dataset::Dataset;
use super::documents::Documents;
use super::export_error;
use super::names::Names;
use super::placed;
use super::yolo::Yolo;
use crate::args::RunArgs;
use crate::commands::run::asked::no_location;
use crate::commands::run::is_image;
use crate::export_target::{Format, Target};
use crate::failure::Failure;

pub(in super::super) fn check(args: &RunArgs, task: &AnyTask) -> Result<(), Failure> {
    if args.export.is_empty() {
        return Ok(());
    }
    let names = Names::new(args)?;
    let annotate = args
        .annotate
        .as_deref()
        .map(|path| (annotate_flag(path), path));
    let targets = args.export.iter();
    let targets: Vec<(String, &Target)> = targets
        .map(|target| (export_flag(target), target))
        .collect();
    let mut claimed = Claims::default();
    if let Some((owner, path)) = &annotate {
        claimed.add(owner, vec![Claim::File(path.to_path_buf())]);
    }
    for (owner, target) in &targets {
        let Target { format, path } = target;
        let problem = if format.is_page() && task.form() != AnswerForm::Quads {
            format!("document formats need {}, got {task}", Task::OcrWithRegion)
        } else if let Some(problem) = no_location(task) {
            problem
        } else if is_image(path, &args.images) {
            OVERWRITES_IMAGE.to_owned()
        } else if *format == Format::Coco && path.is_dir() {
            "this is a folder: expected one file for all images".to_owned()
        } else if *format != Format::Coco && path.is_file() {
            "this is a file: expected a folder, for one file per image".to_owned()
        } else if let Some(other) = claimed.add(owner, claims(target, &names, args)) {
            format!(
                "two exports would write the same files, this and {other}: expected different \
                 paths"
            )
        } else {
            continue;
        };
        return Err(Failure::Usage(export_error(path, problem)));
    }
    let images = args.images.iter().filter(|image| image.exists());
    let owners: Vec<&str> = images.filter_map(|image| claimed.owner_of(image)).collect();
    let over = targets
        .iter()
        .find(|(owner, _)| owners.contains(&owner.as_str()));
    if let Some((_, target)) = over {
        return Err(Failure::Usage(export_error(&target.path, OVERWRITES_IMAGE)));
    }
    let formats: Vec<Format> = args.export.iter().map(|target| target.format).collect();
    let has = |wanted: [Format; 2]| formats.iter().any(|format| wanted.contains(format));
    if args.exports.classes.is_some() && !has([Format::Coco, Format::Yolo]) {
        let problem = "--classes: expected coco= or yolo= (only these number their classes)";
        return Err(Failure::Usage(problem.to_owned()));
    }
    if args.exports.dataset.is_some() && !has([Format::Yolo, Format::Voc]) {
        let problem = "--dataset: expected yolo= or voc= (only these include images)";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let mut images = args.images.iter();
    let unknown = images.find(|image| !placed::is_image(image.as_os_str()));
    if let Some(image) = unknown.filter(|_| args.exports.dataset.is_some()) {
        return Err(Failure::Usage(format!(
            "--dataset: {} has the extension of an annotation file: expected one such as .png",
            image.display()
        )));
    }
    Ok(())
}

/// The files that an export writes.
fn claims(target: &Target, names: &Names, args: &RunArgs) -> Vec<Claim> {
    let Target { format, path } = target;
    let dataset = Dataset::new(&args.exports);
    match *format {
        Format::Coco => Coco::claims(path),
        Format::Yolo => Yolo::claims(path, dataset, names),
        format => {
            let dataset = dataset.filter(|_| format == Format::Voc);
            Documents::claims(path, format, dataset, names)
        }
    }
}

const OVERWRITES_IMAGE: &str = "this would overwrite one of the images";

fn annotate_flag(path: &Path) -> String {
    format!("--annotate {}", path.display())
}

fn export_flag(Target { format, path }: &Target) -> String {
    let format = format.to_possible_value();
    let format = format.as_ref().map_or("", |format| format.get_name());
    format!("--export {format}={}", path.display())
}
