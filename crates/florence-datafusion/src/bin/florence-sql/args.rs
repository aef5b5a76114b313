//! Command-line arguments. Flags are stable: scripts use them.

use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};

const HELP: &str = "Functions: florence(image, task [, text or region]) gives the line of JSON that `florence run --json` \
    writes, florence_text the text, florence_boxes a list of label, confidence, x1, y1, x2, y2. The image is a path, a \
    URL or BINARY. Settings: SHOW florence.model, and `SELECT name, value FROM information_schema.df_settings WHERE name \
    LIKE 'florence.%'`.";

/// Florence-2 in SQL: without a query, a shell.
#[derive(Debug, Parser)]
#[command(name = "florence-sql", version, after_help = HELP)]
pub(crate) struct Args {
    /// The query: statements separated by semicolons. Without one: a shell, or the statements of stdin if that is no
    /// terminal.
    #[arg(value_name = "SQL", conflicts_with_all = ["command", "file"])]
    pub(crate) sql: Option<String>,
    /// The query, as an option.
    #[arg(short, long, value_name = "SQL", conflicts_with = "file")]
    pub(crate) command: Option<String>,
    /// A file of statements.
    #[arg(short, long, value_name = "FILE.sql")]
    pub(crate) file: Option<PathBuf>,
    /// How rows are printed: json and csv as they come, a table at the end.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// A table of images: its name, and a folder, file or URL. Repeatable; as CREATE EXTERNAL TABLE NAME STORED AS IMAGES
    /// LOCATION '…'.
    #[arg(long, value_name = "NAME=LOCATION", value_parser = pair)]
    pub(crate) images: Vec<(String, String)>,
    /// The model: nano (default), a checkpoint folder, or a name on the Hugging Face hub. As SET florence.model.
    #[arg(long, value_name = "nano|DIR|NAME")]
    pub(crate) model: Option<String>,
    /// A setting, such as florence.num_beams=1. Repeatable; as SET.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Write the rows of the query into this folder of Parquet files, and go on after an interruption: the query is a
    /// SELECT from the table `todo`, which has the rows of --from whose --key the folder does not have yet. On a cluster
    /// a URL, or a folder that all machines share.
    #[arg(long, value_name = "DIR|URL", requires = "from")]
    pub(crate) resume: Option<String>,
    /// The table that --resume reads, or a Parquet file.
    #[arg(long, value_name = "TABLE|FILE", requires = "resume")]
    pub(crate) from: Option<String>,
    /// The column that names a row, in the table and in the query's result.
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "path",
        requires = "resume"
    )]
    pub(crate) key: String,
    /// Keys of a file of --resume, which has all rows of them: what an interruption loses at most.
    #[arg(long, value_name = "KEYS", default_value_t = 1000, requires = "resume", value_parser = value_parser!(u32).range(1..))]
    pub(crate) chunk: u32,
    /// The scheduler of a Ballista cluster, such as df://localhost:50050. Without it the query runs in this process.
    #[cfg(feature = "ballista")]
    #[arg(long, value_name = "URL")]
    pub(crate) cluster: Option<String>,
    /// No progress.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table with borders.
    Table,
    /// A line of JSON per row.
    Json,
    /// CSV with a header.
    Csv,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected two parts with = between them".to_owned()),
    }
}
