//! Command-line arguments. Flags are stable: scripts use them.

mod run;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use florence_tasks::{AnswerForm, Device, Flavor, Florence, FlorenceBuilder, Precision};

use crate::model_name::ModelName;

pub(crate) use self::run::{CaptionArgs, QuestionArgs, RunArgs};

/// Florence-2 on the command line: caption, detect, ground, segment and read text.
#[derive(Debug, Parser)]
#[command(name = "florence", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 other error, 2 wrong arguments, \
    3 the model cannot be loaded, 4 an image or an input line cannot be used.";

const CONFIDENCE: &str = "The number in each row is the confidence: exp of the mean log-probability of the location \
    tokens, so 0.10 means an average probability of 0.10 per coordinate. For a checked caption it is the support of \
    the phrase. Confidences are not comparable between models: those of nano are about 0.1 for correct locations.";

const LINES: &str = "Input lines on stdin: {\"task\": \"<OD>\", \"text\": \"…\", \"size\": [width, height]}, or \
    lines of `florence run --json`. A line that cannot be read gives {\"line\": N, \"error\": \"…\"}, N counting \
    from 1, and exit code 4 at the end; blank lines are skipped.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a task or a cascade on images.
    #[command(after_help = CONFIDENCE)]
    Run(Box<RunArgs>),
    /// Parse raw answers without a model: JSON lines in, one JSON line out for each.
    #[command(after_help = LINES)]
    Parse(ParseArgs),
    /// Serve a web page and an HTTP API.
    Serve(ServeArgs),
    /// Ask about images in SQL, on this machine or a cluster: the program florence-sql, which is installed by itself.
    #[command(disable_help_flag = true)]
    Sql(SqlArgs),
    /// List tasks and cascades.
    Tasks,
    /// Describe a checkpoint.
    Info(InfoArgs),
    /// List the published models, and which are in the cache.
    Models,
    /// Download a model of the hub into the cache, and print its folder.
    Download(DownloadArgs),
}

impl Command {
    /// `--threads`.
    pub(crate) fn threads(&self) -> Option<usize> {
        match self {
            Self::Run(args) => args.model.threads,
            Self::Serve(args) => args.model.threads,
            Self::Info(args) => args.model.threads,
            Self::Parse(_) | Self::Sql(_) | Self::Tasks | Self::Models | Self::Download(_) => None,
        }
    }
}

/// The model, its adapters, device and precision.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// `nano` (default), the built-in demo model, which knows only colored shapes and printed words; a checkpoint
    /// folder; or the name of a model on the Hugging Face hub, such as microsoft/Florence-2-base-ft, with @REVISION if
    /// wanted: see `florence models`.
    #[arg(long, value_name = "nano|DIR|NAME")]
    pub(crate) model: Option<OsString>,
    /// LoRA adapter of the model, as PEFT saves it: a folder with adapter_config.json and adapter_model.safetensors or
    /// .bin. Repeatable: adapters are added in this order.
    #[arg(long = "adapter", value_name = "DIR")]
    pub(crate) adapters: Vec<PathBuf>,
    /// Device: cpu, cuda, cuda:N, metal, metal:N, or auto (the fastest available).
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: Device,
    /// Weight precision: f32 gives the tokens of transformers; q8_0 (8-bit, CPU only) is faster and smaller, at
    /// slightly different answers; f16 and bf16 are for GPUs. Default: f32, on CUDA bf16.
    #[arg(long, value_name = "f32|f16|bf16|q8_0")]
    pub(crate) precision: Option<Precision>,
    /// Number of threads. Default: RAYON_NUM_THREADS, else the number of cores.
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

impl ModelArgs {
    pub(crate) fn model(&self) -> ModelName {
        self.model.clone().map_or(ModelName::Nano, ModelName::from)
    }

    pub(crate) fn builder(&self) -> FlorenceBuilder {
        let builder = Florence::builder().device(self.device);
        let builder = self
            .adapters
            .iter()
            .fold(builder, |builder, dir| builder.adapter(dir));
        match self.precision {
            Some(precision) => builder.precision(precision),
            None => builder,
        }
    }
}

/// A number of threads; 0 is refused, since rayon reads it as "default".
fn threads(number: &str) -> Result<usize, String> {
    match number.parse() {
        Ok(threads) if threads > 0 => Ok(threads),
        _ => Err("expected a number of threads, 1 or more".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ParseArgs {
    /// Print the output of this Python post-processor instead of the typed answer.
    #[arg(long, value_enum)]
    pub(crate) compat: Option<Compat>,
    /// How answers to the markers of fine-tunes are parsed: text (default), markup, boxes, proposals, phrases, quads,
    /// polygons or boxes_or_polygons. Tasks have their own.
    #[arg(long, value_name = "FORM", conflicts_with = "compat")]
    pub(crate) answer: Option<AnswerForm>,
}

/// The two published post-processors.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Compat {
    /// Microsoft's remote code: float coordinates.
    Microsoft,
    /// The native class of transformers: integer coordinates.
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
    /// Address to listen on; port 0 picks a free one. The default is reachable from this machine only.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Also accept requests for this host name, and from web pages on it, as behind a proxy. Repeatable.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Also serve the model under this name in the APIs of OpenAI and Ollama. Repeatable.
    #[arg(long = "alias", value_name = "NAME")]
    pub(crate) aliases: Vec<String>,
    /// Maximum request size in MiB (2^20 bytes).
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) max_megabytes: u16,
    /// Maximum photo size in megapixels. Default: 256.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) max_megapixels: Option<u16>,
    /// Maximum queued or in-flight requests; further ones get 503.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) queue: u16,
    /// Maximum batch size, in questions.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) batch: u16,
    /// Request timeout in seconds.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    pub(crate) request_seconds: u16,
}

#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The arguments of florence-sql.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub(crate) args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// The model: owner/name or owner/name@revision, such as microsoft/Florence-2-base-ft.
    pub(crate) name: String,
}
