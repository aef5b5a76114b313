//! The command line. Its shape is fixed: scripts use it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use florence_tasks::{Device, Flavor, Florence, FlorenceBuilder, Precision};

use crate::export_target;

/// Florence-2 on the command line: caption, detect, ground, segment and read.
#[derive(Debug, Parser)]
#[command(name = "florence", version, about, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all went well, 1 something else, 2 wrong arguments, \
    3 the model cannot be loaded, 4 an image (or a line of input) cannot be used.";

const CONFIDENCE: &str = "The number in a row is the confidence: exp of the mean log-probability of the location \
    tokens, so 0.10 means that the model gave the coordinates of this place a probability of 0.10 each. For a checked \
    caption it is the support of the phrase. Figures of different models do not compare: those of nano are about 0.1 \
    for places that are right.";

const LINES: &str = "A line on stdin: {\"task\": \"<OD>\", \"text\": \"…\", \"size\": [width, height]}, or a \
    line of `florence run --json`. A line that cannot be read gets {\"line\": N, \"error\": \"…\"}, N counting \
    from 1, and exit code 4 at the end; blank lines get nothing.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one task, or a cascade of them, on images.
    #[command(after_help = CONFIDENCE)]
    Run(RunArgs),
    /// Parse raw answers, without a model: JSON lines in, one line out for each.
    #[command(after_help = LINES)]
    Parse(ParseArgs),
    /// Serve a web page and an HTTP API.
    Serve(ServeArgs),
    /// List the tasks and the cascades.
    Tasks,
    /// Describe a checkpoint.
    Info(InfoArgs),
}

impl Command {
    /// The number of threads that was asked for.
    pub(crate) fn threads(&self) -> Option<usize> {
        match self {
            Self::Run(args) => args.model.threads,
            Self::Serve(args) => args.model.threads,
            Self::Info(args) => args.model.threads,
            Self::Parse(_) | Self::Tasks => None,
        }
    }
}

/// The model, and how it runs.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The model: the folder of a checkpoint, or `nano`, the default: a demonstration model that ships with this
    /// command and knows coloured shapes and printed words.
    #[arg(long, value_name = "nano|DIR")]
    pub(crate) model: Option<OsString>,
    /// Where the model runs: cpu, cuda, cuda:N, metal, metal:N, or auto, the fastest of these that is there.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: Device,
    /// Weight precision: f32 gives the reference's answers, token for token; q8_0 (on the CPU) is faster and smaller,
    /// with very nearly the same answers; f16 and bf16 are for GPUs. By default f32, and bf16 on CUDA.
    #[arg(long, value_name = "f32|f16|bf16|q8_0")]
    pub(crate) precision: Option<Precision>,
    /// Threads to run on; by default RAYON_NUM_THREADS, or as many as there are cores.
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

impl ModelArgs {
    /// The folder of a checkpoint; `None` for the model that ships.
    pub(crate) fn folder(&self) -> Option<&Path> {
        let given = self.model.as_deref();
        given.filter(|model| *model != "nano").map(Path::new)
    }

    pub(crate) fn builder(&self) -> FlorenceBuilder {
        let builder = Florence::builder().device(self.device);
        match self.precision {
            Some(precision) => builder.precision(precision),
            None => builder,
        }
    }
}

/// A number of threads; rayon takes 0 for "as many as you like".
fn threads(number: &str) -> Result<usize, String> {
    match number.parse() {
        Ok(threads) if threads > 0 => Ok(threads),
        _ => Err("expected a number of threads, 1 or more".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The task: a name such as od, or a marker; or a cascade such as caption_checked (see `florence tasks`).
    #[arg(long)]
    pub(crate) task: String,
    /// The text of tasks that take one: a caption to ground or to check, a phrase to find.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Read special tokens in --text as tokens, not as characters.
    #[arg(long, requires = "text")]
    pub(crate) special_tokens: bool,
    /// The region of tasks that take one: x1,y1,x2,y2 in pixels of the image.
    #[arg(long, value_name = "X1,Y1,X2,Y2", allow_hyphen_values = true)]
    pub(crate) region: Option<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Beams of the search; 1 is greedy. By default as many as the checkpoint asks for.
    #[arg(long, value_name = "N")]
    pub(crate) num_beams: Option<usize>,
    /// Tokens of the answer at most. By default as many as the checkpoint has positions for, 1024 at most.
    #[arg(long, value_name = "N")]
    pub(crate) max_new_tokens: Option<usize>,
    /// One line of JSON for each image.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the answer on a copy of the image: a .png, .jpg or .svg file.
    #[arg(long, value_name = "FILE")]
    pub(crate) annotate: Option<PathBuf>,
    /// Write the answers as files of other tools: coco=FILE for all images, or a folder with a file for each:
    /// yolo=, labelme=, voc=, and for ocr_with_region hocr=, markdown= and text= in reading order. May be given
    /// several times. Coordinates are those of the upright photo.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = export_target::target())]
    pub(crate) export: Vec<export_target::Target>,
    #[command(flatten)]
    pub(crate) exports: export_target::ExportArgs,
    /// The Python processor whose dict `reference` holds.
    #[arg(long, value_enum, default_value_t = Compat::Transformers)]
    pub(crate) compat: Compat,
    /// Turn photos as their EXIF orientation says. The reference does not.
    #[arg(long)]
    pub(crate) exif_orientation: bool,
    /// Millions of pixels of an image at most; larger ones are refused before they are unpacked.
    #[arg(long, default_value_t = 256, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) max_megapixels: u16,
    /// Images that are encoded and asked about together; by default 1 on the CPU and 8 on other devices.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) batch: Option<u16>,
    /// The images: PNG, JPEG, WebP, GIF, BMP or TIFF files (of several frames or pages the first).
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ParseArgs {
    /// Answer with the dict of this Python processor; without it, with the typed answer.
    #[arg(long, value_enum)]
    pub(crate) compat: Option<Compat>,
}

/// The two published post-processors.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Compat {
    /// Microsoft's remote code: floats.
    Microsoft,
    /// The native class of transformers: integers.
    Transformers,
}

impl From<Compat> for Flavor {
    fn from(compat: Compat) -> Self {
        match compat {
            Compat::Microsoft => Self::Microsoft,
            Compat::Transformers => Self::Transformers,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Where to listen; port 0 is any that is free. Only this machine reaches the default.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Answer to this host name too, and to pages that come from it, as behind a proxy or where
    /// others reach this machine by a name; may be given several times.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Mebibytes of a request at most.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) max_megabytes: u16,
    /// Millions of pixels of a photo at most; by default as many as the library takes.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) max_megapixels: Option<u16>,
    /// Requests that wait or are answered at a time; others are told to come back.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) queue: u16,
    /// Questions that are answered together at most.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) batch: u16,
    /// Seconds until a request is given up.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    pub(crate) request_seconds: u16,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
