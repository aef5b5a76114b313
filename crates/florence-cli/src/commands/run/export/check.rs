//! Checks `--export` and folders of pictures before the model is loaded.

use std::path::Path;

use clap::ValueEnum;
use florence_tasks::{AnswerForm, AnyTask, Task};

use super::claims::{Claim, Claims};
use super::coco::Coco;
use super::dataset::Dataset;
use super::documents::Documents;
use super::export_error;
use super::masks::Masks;
use super::placed;
use super::yolo::Yolo;
use crate::args::{Annotate, RunArgs};
use crate::commands::run::asked::no_location;
use crate::commands::run::names::Names;
use crate::commands::run::{is_image, pictures};
use crate::export_target::{Format, Target};
use crate::failure::Failure;

pub(in super::super) fn check(
    args: &RunArgs,
    task: &AnyTask,
    names: &Names,
) -> Result<(), Failure> {
    let outputs: Vec<Output<'_>> = outputs(args).collect();
    let mut claimed = Claims::default();
    for output in &outputs {
        let problem = if let Some(problem) = output.problem(args, task) {
            problem
        } else if let Some(other) = claimed.add(&output.flag, output.claims(args, names)) {
            let two = match output.to {
                To::Export(_) => "two exports would write the same files, this and",
                _ => "this would write the same files as",
            };
            format!("{two} {other}: expected different paths")
        } else {
            continue;
        };
        return Err(output.error(problem));
    }
    let images = args.images.iter().filter(|image| image.exists());
    let owners: Vec<&str> = images.filter_map(|image| claimed.owner_of(image)).collect();
    // The image itself is refused as the file of a picture before.
    let over = outputs
        .iter()
        .find(|output| owners.contains(&output.flag.as_str()));
    if let Some(output) = over {
        return Err(output.error(OVERWRITES_IMAGE.to_owned()));
    }
    let formats: Vec<Format> = args.export.iter().map(|target| target.format).collect();
    let has = |wanted: [Format; 2]| formats.iter().any(|format| wanted.contains(format));
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

/// What writes files.
struct Output<'a> {
    /// As it was given.
    flag: String,
    path: &'a Path,
    to: To<'a>,
}

enum To<'a> {
    /// The picture of one image, which is checked elsewhere.
    Picture,
    /// A picture for each image.
    Pictures,
    Export(&'a Target),
}

fn outputs(args: &RunArgs) -> impl Iterator<Item = Output<'_>> {
    let picture = match args.annotate() {
        Some(Annotate::File(path)) => Some(("--annotate", path, To::Picture)),
        _ => None,
    };
    let folders = args.picture_folders();
    let folders = folders.map(|(flag, path)| (flag, path, To::Pictures));
    let pictures = picture.into_iter().chain(folders);
    let pictures = pictures.map(|(flag, path, to)| Output {
        flag: format!("{flag} {}", path.display()),
        path,
        to,
    });
    let exports = args.export.iter().map(|target| Output {
        flag: export_flag(target),
        path: &target.path,
        to: To::Export(target),
    });
    pictures.chain(exports)
}

impl Output<'_> {
    fn error(&self, problem: String) -> Failure {
        Failure::Usage(match self.to {
            To::Export(_) => export_error(self.path, problem),
            _ => format!("{}: {problem}", self.flag),
        })
    }

    /// Why it cannot be written, without a look at the others.
    fn problem(&self, args: &RunArgs, task: &AnyTask) -> Option<String> {
        let path = self.path;
        let needs_folder = match self.to {
            To::Picture => return None,
            To::Pictures => true,
            To::Export(target) => {
                if target.format.is_page() && task.form() != AnswerForm::Quads {
                    return Some(format!(
                        "document formats need {}, got {task}",
                        Task::OcrWithRegion
                    ));
                }
                target.format != Format::Coco
            }
        };
        if let Some(problem) = no_location(task) {
            Some(problem)
        } else if is_image(path, &args.images) {
            Some(OVERWRITES_IMAGE.to_owned())
        } else if !needs_folder && path.is_dir() {
            Some("this is a folder: expected one file for all images".to_owned())
        } else if needs_folder && path.is_file() {
            Some("this is a file: expected a folder, for one file per image".to_owned())
        } else {
            None
        }
    }

    /// The files that it writes.
    fn claims(&self, args: &RunArgs, names: &Names) -> Vec<Claim> {
        let path = self.path;
        let dataset = Dataset::new(&args.exports);
        let Target { format, path } = match self.to {
            To::Picture => return vec![Claim::File(path.to_owned())],
            To::Pictures => {
                let files = names.all().flat_map(|name| name.files(pictures::ENDING));
                return files.map(|file| Claim::File(path.join(file))).collect();
            }
            To::Export(target) => target,
        };
        match *format {
            Format::Coco => Coco::claims(path),
            Format::Yolo => Yolo::claims(path, dataset, names),
            Format::Masks => Masks::claims(path),
            format => {
                let dataset = dataset.filter(|_| format == Format::Voc);
                Documents::claims(path, format, dataset, names)
            }
        }
    }
}

const OVERWRITES_IMAGE: &str = "this would overwrite one of the images";

fn export_flag(Target { format, path }: &Target) -> String {
    let format = format.to_possible_value();
    let format = format.as_ref().map_or("", |format| format.get_name());
    format!("--export {format}={}", path.display())
}
