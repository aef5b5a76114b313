//! Prints rows and errors.

use std::io::{self, ErrorKind, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::{DataFusionError, Result};

use crate::args::Format;

/// Prints the rows of a result.
pub(crate) struct Printer {
    format: Format,
    has_columns: bool,
    /// For tables, which are as wide as their widest row.
    kept: Vec<RecordBatch>,
    is_begun: bool,
}

impl Printer {
    pub(crate) fn new(format: Format, schema: &Schema) -> Self {
        Self {
            format,
            has_columns: !schema.fields().is_empty(),
            kept: Vec::new(),
            is_begun: false,
        }
    }

    pub(crate) fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let mut text = Vec::new();
        match self.format {
            Format::Table => self.kept.push(batch),
            Format::Json => LineDelimitedWriter::new(&mut text).write(&batch)?,
            Format::Csv => {
                let header = !std::mem::replace(&mut self.is_begun, true);
                let mut writer = csv::WriterBuilder::new()
                    .with_header(header)
                    .build(&mut text);
                writer.write(&batch)?;
            }
        }
        write(&text)
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.format != Format::Table || !self.has_columns || self.kept.is_empty() {
            return Ok(());
        }
        write(format!("{}\n", pretty_format_batches(&self.kept)?).as_bytes())
    }
}

fn write(text: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}

/// Whether the reader of stdout is gone.
pub(crate) fn is_closed(error: &DataFusionError) -> bool {
    let error = match error.find_root() {
        DataFusionError::IoError(error) => Some(error),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::IoError(_, error) => Some(error),
            _ => None,
        },
        _ => None,
    };
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// An error in one line, without the names of DataFusion's types.
pub(crate) fn message(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ")
}
