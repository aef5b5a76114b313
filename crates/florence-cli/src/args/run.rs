//! Arguments of `florence run`.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use florence_tasks::AnswerForm;

use super::task_name::TaskName;
use super::{Compat, ModelArgs};
use crate::export_target;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// Images, folders of images, or quoted patterns such as 'photos/**/*.jpg'.
    ///
    /// PNG, JPEG, WebP, GIF, BMP or TIFF; of several frames or pages the first. Hidden files of folders are skipped.
    #[arg(help_heading = "Images", value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// Also the images of this list; `-` is stdin.
    ///
    /// One path per line, or separated by NUL.
    #[arg(help_heading = "Images", long, value_name = "FILE|-")]
    pub(crate) from: Option<PathBuf>,
    /// Of folders, only the images directly inside.
    #[arg(help_heading = "Images", long)]
    pub(crate) no_recursive: bool,
    /// Apply the EXIF orientation.
    ///
    /// Default: use the pixels as stored, as transformers does.
    #[arg(help_heading = "Images", long)]
    pub(crate) exif_orientation: bool,
    /// Maximum image size in megapixels; larger images are refused before they are decoded.
    #[arg(help_heading = "Images", long, default_value_t = 256, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) max_megapixels: u16,
    /// Print one line of JSON per image and question.
    #[arg(help_heading = "Results", long)]
    pub(crate) json: bool,
    /// Write the lines of --json to this file instead.
    ///
    /// Each is complete when the next image is worked on.
    #[arg(help_heading = "Results", long, value_name = "FILE.jsonl")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) captions: CaptionArgs,
    /// Draw the answer on a copy of the image, or of each image into a folder.
    ///
    /// A .png, .jpg or .svg file for one image; a folder (a name without ending) gets a PNG for each, in the same
    /// subfolders.
    #[arg(help_heading = "Results", long, value_name = "FILE|DIR")]
    pub(crate) annotate: Option<PathBuf>,
    /// Write the drawing alone: a transparent PNG for each image.
    ///
    /// Of its size, in the same subfolders.
    #[arg(help_heading = "Results", long, value_name = "DIR")]
    pub(crate) overlay: Option<PathBuf>,
    /// Write annotation files: coco=FILE, or yolo=, labelme=, voc=, masks= with a folder.
    ///
    /// coco= is one file for all images, the others are a folder with a file per image; masks= has a black and white
    /// PNG for each object and one for all. For ocr_with_region also hocr=, markdown= and text=, in reading order.
    /// Repeatable. Coordinates refer to the upright photo.
    #[arg(help_heading = "Results", long, value_name = "FORMAT=PATH", value_parser = export_target::target())]
    pub(crate) export: Vec<export_target::Target>,
    #[command(flatten)]
    pub(crate) exports: export_target::ExportArgs,
    #[command(flatten)]
    pub(crate) filters: FilterArgs,
    /// Python post-processor whose output goes into the field `reference`.
    #[arg(help_heading = "Results", long, value_enum, default_value_t = Compat::Transformers)]
    pub(crate) compat: Compat,
    /// Go on after an interruption: skip what is done.
    ///
    /// Done are images whose lines are in --output and whose other files exist, as for --skip-existing. Lines of failed
    /// images are removed, and the images are tried again.
    #[arg(help_heading = "Long runs", long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,
    /// Skip images whose files exist.
    ///
    /// Files of --captions, --annotate DIR, --overlay and --export; of other images those are written that are missing.
    #[arg(help_heading = "Long runs", long, conflicts_with = "overwrite")]
    pub(crate) skip_existing: bool,
    /// Replace existing files of --output, --captions, --annotate DIR and --overlay.
    #[arg(help_heading = "Long runs", long)]
    pub(crate) overwrite: bool,
    /// Also write failed images to this file, one line of JSON each.
    #[arg(help_heading = "Long runs", long, value_name = "FILE.jsonl")]
    pub(crate) errors: Option<PathBuf>,
    /// No progress and no summary.
    #[arg(help_heading = "Long runs", long)]
    pub(crate) quiet: bool,
    /// Batch size in images.
    ///
    /// Default: 1 on the CPU, 8 on other devices.
    #[arg(help_heading = "Long runs", long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) batch: Option<u16>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Number of beams; 1 is greedy search.
    ///
    /// Default: the checkpoint's setting.
    #[arg(help_heading = "Generation", long, value_name = "N")]
    pub(crate) num_beams: Option<usize>,
    /// Maximum number of new tokens.
    ///
    /// Default: the checkpoint's positions, at most 1024.
    #[arg(help_heading = "Generation", long, value_name = "N")]
    pub(crate) max_new_tokens: Option<usize>,
}

/// Where `--annotate` draws.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Annotate<'a> {
    /// One image.
    File(&'a Path),
    /// A picture for each image.
    Folder(&'a Path),
}

impl RunArgs {
    /// `--annotate`: a path is a folder if it is one, ends in a separator, or has no ending.
    pub(crate) fn annotate(&self) -> Option<Annotate<'_>> {
        let path = self.annotate.as_deref()?;
        let is_folder = path.is_dir()
            || path.extension().is_none()
            || path.to_string_lossy().ends_with(std::path::is_separator);
        Some(if is_folder {
            Annotate::Folder(path)
        } else {
            Annotate::File(path)
        })
    }

    /// The folders with a picture for each image, with their flags.
    pub(crate) fn picture_folders(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let annotated = match self.annotate() {
            Some(Annotate::Folder(path)) => Some(("--annotate", path)),
            _ => None,
        };
        let overlay = self.overlay.as_deref().map(|path| ("--overlay", path));
        annotated.into_iter().chain(overlay)
    }

    /// Whether it writes a file for each image.
    pub(crate) fn has_file_of_each(&self) -> bool {
        self.captions.captions.is_some() || self.picture_folders().next().is_some()
    }

    /// Whether it writes files that say what is done.
    pub(crate) fn is_resumable(&self) -> bool {
        self.output.is_some() || self.has_file_of_each() || !self.export.is_empty()
    }

    /// Whether images whose files exist are skipped.
    pub(crate) fn skips_existing(&self) -> bool {
        self.resume || self.skip_existing
    }

    /// Whether answers are lines of JSON.
    pub(crate) fn writes_json(&self) -> bool {
        self.json || self.output.is_some()
    }
}

impl QuestionArgs {
    /// The label of objects that the answer does not name.
    pub(crate) fn unnamed(&self) -> &str {
        self.text.as_deref().unwrap_or("object")
    }

    /// Whether there may be several questions about each image.
    pub(crate) fn is_several(&self) -> bool {
        self.task.len() > 1 || self.region.len() > 1
    }
}

/// What is asked about each image.
#[derive(Debug, Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct QuestionArgs {
    /// Task or cascade, such as od or caption_checked, or the marker of a fine-tune.
    ///
    /// A name, or a task token such as `<OD>`; see `florence tasks`. Repeatable: each image is encoded once.
    #[arg(long, value_parser = TaskName, hide_possible_values = true)]
    pub(crate) task: Vec<String>,
    /// A prompt of your own, sent as it is; special tokens in it are recognized.
    #[arg(long, conflicts_with = "task", value_name = "TEXT")]
    pub(crate) prompt: Option<String>,
    /// Text input: a caption to ground or check, a phrase to segment, names to detect.
    ///
    /// Or a question to a fine-tune.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Parse special tokens in --text, such as `<loc_5>`, as tokens instead of characters.
    #[arg(long, requires = "text")]
    pub(crate) special_tokens: bool,
    /// Region input: x1,y1,x2,y2 in pixels of the image.
    ///
    /// Repeatable.
    #[arg(long, value_name = "X1,Y1,X2,Y2", allow_hyphen_values = true)]
    pub(crate) region: Vec<String>,
    /// How the answer of a marker or prompt is parsed: text (default), boxes, quads, polygons …
    ///
    /// Also markup, proposals, phrases and boxes_or_polygons. Tasks have their own.
    #[arg(long, value_name = "FORM")]
    pub(crate) answer: Option<AnswerForm>,
}

/// Text files for training tools.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct CaptionArgs {
    /// Write a text file for each image: `beside` it, or in this folder.
    ///
    /// Of its name ending in .txt, under a folder in the same subfolders.
    #[arg(long, value_name = "beside|DIR")]
    pub(crate) captions: Option<PathBuf>,
    /// Text before each caption.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "captions",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) prefix: String,
    /// Text after each caption.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "captions",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) suffix: String,
    /// Add the caption to existing files, after a comma.
    #[arg(long, requires = "captions", conflicts_with_all = ["overwrite", "resume", "skip_existing"])]
    pub(crate) append: bool,
}

/// Which objects of the answers stay.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct FilterArgs {
    /// Leave out objects with a lower confidence.
    ///
    /// From `answer` of a line, text, drawings and exports. Objects without one stay, and so do `text`, `token_ids` and
    /// `reference`: what the model said.
    #[arg(long, value_name = "X", value_parser = fraction, allow_negative_numbers = true)]
    pub(crate) min_confidence: Option<f32>,
    /// Also leave out an object where one of the same label and a higher confidence overlaps it by more than this
    /// intersection over union, 0 to 1 (greedy non-maximum suppression).
    #[arg(long, value_name = "IOU", value_parser = fraction, allow_negative_numbers = true)]
    pub(crate) nms: Option<f32>,
    /// Class list: one name per line, or a data.yaml.
    ///
    /// Objects with other labels are left out as well and counted; yolo= and coco= number their classes by it. Default:
    /// all labels, numbered as they appear, after those of an existing data.yaml.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,
}

fn fraction(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1, such as 0.5".to_owned()),
    }
}
