//! Command-line arguments. Flags are stable: scripts use them.

mod run;
mod task_name;

use std::ffi::OsString;
use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use florence_tasks::{AnswerForm, Device, Flavor, InputSize, Precision};

use crate::model_name::ModelName;

pub(crate) use self::run::{Annotate, CaptionArgs, QuestionArgs, RunArgs};

/// Florence-2 on the command line: caption, detect, ground, segment and read text.
#[derive(Debug, Parser)]
#[command(name = "florence", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 other error, 2 wrong arguments, \
    3 the model cannot be loaded, 4 an image or an input line cannot be used.";

const AFTER_RUN: &str = "\
Examples:
  florence run --task od photo.jpg                                 one row for each object
  florence run --task od --annotate boxes.png photo.jpg            the boxes drawn on a copy
  florence run --task caption --captions beside photos             photos/a.txt beside photos/a.jpg
  florence run --task caption --captions beside --resume photos    goes on where it was stopped
  florence run --task od --task ocr --output all.jsonl photos      a line of JSON for each photo and task
  florence run --task od --export coco=boxes.json photos           also yolo, labelme, voc, masks

The number in each row is the confidence: exp of the mean log-probability of the location \
    tokens, so 0.10 means an average probability of 0.10 per coordinate. For a checked caption it is the support of \
    the phrase. Confidences are not comparable between models: those of nano are about 0.1 for correct locations.";

const LINES: &str = "Input lines on stdin: {\"task\": \"<OD>\", \"text\": \"…\", \"size\": [width, height]}, or \
    lines of `florence run --json`. A line that cannot be read gives {\"line\": N, \"error\": \"…\"}, N counting \
    from 1, and exit code 4 at the end; blank lines are skipped.";

const COMPLETIONS: &str = "\
bash: florence completions bash > ~/.local/share/bash-completion/completions/florence
zsh:  florence completions zsh > ~/.zfunc/_florence, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
fish: florence completions fish > ~/.config/fish/completions/florence.fish";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a task or a cascade on images.
    #[command(after_help = AFTER_RUN, override_usage = "florence run --task <TASK> [OPTIONS] <IMAGE>...")]
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
    /// Print the completion script of a shell.
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page of the command, or of one of its subcommands: `florence man run | man -l -`.
    Man(ManArgs),
}

impl Command {
    /// `--threads`.
    pub(crate) fn threads(&self) -> Option<usize> {
        match self {
            Self::Run(args) => args.model.threads,
            Self::Serve(args) => args.model.threads,
            Self::Info(args) => args.model.threads,
            Self::Parse(_)
            | Self::Tasks
            | Self::Models
            | Self::Download(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Sql(_) => None,
        }
    }
}

/// The model, its adapters, device and precision.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// nano (default, a demo model), a folder, or a name on the Hugging Face hub.
    ///
    /// The demo model knows only colored shapes and printed words. A name such as microsoft/Florence-2-base-ft may have
    /// @REVISION behind it, see `florence models`; it is downloaded once.
    #[arg(long, value_name = "nano|DIR|NAME", value_hint = ValueHint::DirPath)]
    pub(crate) model: Option<OsString>,
    /// LoRA adapter of the model, as PEFT saves it: a folder, or a name on the hub.
    ///
    /// With adapter_config.json and adapter_model.safetensors or .bin. Repeatable: adapters are added in this order.
    #[arg(long = "adapter", value_name = "DIR|NAME", value_hint = ValueHint::DirPath)]
    pub(crate) adapters: Vec<OsString>,
    /// Tokenizer and image preparation of another folder or model.
    ///
    /// For a model that was published without, such as OmniParser's icon_caption.
    #[arg(long, value_name = "DIR|NAME", value_hint = ValueHint::DirPath)]
    pub(crate) processor: Option<OsString>,
    /// Resize images to N × N or WIDTH × HEIGHT pixels.
    ///
    /// Instead of the model's size. Smaller is faster, and less accurate unless the model was trained so.
    #[arg(long, value_name = "N|WxH")]
    pub(crate) image_size: Option<InputSize>,
    /// Device: cpu, cuda, cuda:N, metal, metal:N, or auto (the fastest available).
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: Device,
    /// Weight precision; f32 gives the tokens of transformers.
    ///
    /// q8_0 (8-bit, CPU only) is faster and smaller, at slightly different answers; f16 and bf16 are for GPUs. Default:
    /// f32, on CUDA bf16.
    #[arg(long, value_name = "f32|f16|bf16|q8_0")]
    pub(crate) precision: Option<Precision>,
    /// Number of threads.
    ///
    /// Default: RAYON_NUM_THREADS, else the number of cores.
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

impl ModelArgs {
    pub(crate) fn model(&self) -> ModelName {
        self.model.clone().map_or(ModelName::Nano, ModelName::from)
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
    /// polygons or boxes_or_polygons.
    ///
    /// Tasks have their own.
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
    /// Address to listen on; port 0 picks a free one.
    ///
    /// The default is reachable from this machine only.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Also accept requests for this host name, and from web pages on it, as behind a proxy.
    ///
    /// Repeatable.
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
pub(crate) struct CompletionsArgs {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// A subcommand, such as run.
    pub(crate) subcommand: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// The model: owner/name or owner/name@revision, such as microsoft/Florence-2-base-ft.
    pub(crate) name: String,
}
