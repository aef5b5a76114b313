//! What is wrong with `--export`, which should be said before a model is loaded.

use std::path::Path;

use clap::ValueEnum;
use florence_tasks::{AnswerForm, AnyTask, Task};

use super::claims::{Claim, Claims};
use super::coco::Coco;
use super::dataset::Dataset;
use super::documents::Documents;
use super::names::Names;
use super::placed;
use super::told;
use super::yolo::Yolo;
use crate::args::RunArgs;
use crate::commands::run::asked::no_place;
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
        .map(|path| (told_annotate(path), path));
    let targets = args.export.iter();
    let targets: Vec<(String, &Target)> = targets
        .map(|target| (told_target(target), target))
        .collect();
    let mut claimed = Claims::default();
    if let Some((owner, path)) = &annotate {
        claimed.add(owner, vec![Claim::File(path.to_path_buf())]);
    }
    for (owner, target) in &targets {
        let Target { format, path } = target;
        let problem = if format.is_page() && task.form() != AnswerForm::Quads {
            format!(
                "pages of text come from {}, not from {task}",
                Task::OcrWithRegion
            )
        } else if let Some(problem) = no_place(task) {
            problem
        } else if is_image(path, &args.images) {
            WRITTEN_OVER.to_owned()
        } else if *format == Format::Coco && path.is_dir() {
            "this is a folder: expected a file, which all images share".to_owned()
        } else if *format != Format::Coco && path.is_file() {
            "this is a file: expected a folder, for a file about each image".to_owned()
        } else if let Some(other) = claimed.add(owner, claims(target, &names, args)) {
            format!(
                "two exports would write the same files, this and {other}: expected another path \
                 for each"
            )
        } else {
            continue;
        };
        return Err(Failure::Usage(told(path, problem)));
    }
    let images = args.images.iter().filter(|image| image.exists());
    let owners: Vec<&str> = images.filter_map(|image| claimed.owner_of(image)).collect();
    let over = targets
        .iter()
        .find(|(owner, _)| owners.contains(&owner.as_str()));
    if let Some((_, target)) = over {
        return Err(Failure::Usage(told(&target.path, WRITTEN_OVER)));
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
    let mut images = args.images.iter();
    let unknown = images.find(|image| !placed::is_image(image.as_os_str()));
    if let Some(image) = unknown.filter(|_| args.exports.dataset.is_some()) {
        return Err(Failure::Usage(format!(
            "--dataset: {} is called as files about images are: expected an ending such as .png",
            image.display()
        )));
    }
    Ok(())
}

/// What an export writes to.
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

const WRITTEN_OVER: &str = "this is one of the images, which would be lost";

fn told_annotate(path: &Path) -> String {
    format!("--annotate {}", path.display())
}

fn told_target(Target { format, path }: &Target) -> String {
    let format = format.to_possible_value();
    let format = format.as_ref().map_or("", |format| format.get_name());
    format!("--export {format}={}", path.display())
}
