//! `--resume`: a query in chunks, each written as one Parquet file, without the rows that are written.

mod folder;
mod keys;

use std::path::Path;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::concat;
use datafusion::common::{DataFusionError, Result, ScalarValue, TableReference, config_err};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{DataFrame, ParquetReadOptions};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;

use self::folder::Folder;
use self::keys::{Chunk, Keys};
use crate::args::Args;
use crate::run::Runner;

/// Runs the query about one chunk of `todo` after the other.
pub(crate) async fn run(runner: &Runner, sql: &str, out: &str, args: &Args) -> Result<()> {
    check(sql)?;
    let from = args.from.as_deref().unwrap_or_default();
    if from == TODO {
        return config_err!(
            "--from {TODO}: expected a table of another name: this is that of a chunk"
        );
    }
    let resumed = Resumed {
        runner,
        sql,
        from: table(from),
        key: &args.key,
        out: Folder::new(out)?,
    };
    let keys = resumed.keys().await?;
    for chunk in keys.undone(args.chunk as usize)? {
        resumed.write(&chunk).await?;
    }
    Ok(())
}

/// The table of a chunk.
const TODO: &str = "todo";

struct Resumed<'a> {
    runner: &'a Runner,
    sql: &'a str,
    from: TableReference,
    key: &'a str,
    out: Folder,
}

impl Resumed<'_> {
    /// The keys of the table, and which of them are written.
    async fn keys(&self) -> Result<Keys> {
        let ctx = &self.runner.ctx;
        let all = self.column(ctx.table(self.from.clone()).await?).await?;
        let done = match self.out.has_parquet(ctx).await? {
            true => self.written(self.out.url()).await?,
            false => all.slice(0, 0),
        };
        Keys::new(&all, &done)
    }

    /// Writes the rows of a chunk, unless another client has, and sees that all are there.
    async fn write(&self, chunk: &Chunk) -> Result<()> {
        let ctx = &self.runner.ctx;
        let file = self.out.file(&chunk.name()?);
        if self.out.has(ctx, &file).await? && self.missing(chunk, &file).await?.is_empty() {
            return Ok(());
        }
        ctx.deregister_table(TODO)?;
        let todo = ctx.table(self.from.clone()).await?;
        let todo = todo.filter(chunk.filter(self.key)?)?;
        ctx.register_table(TODO, todo.into_view())?;
        let query = ctx.sql(self.sql).await?;
        if !query.schema().has_column_with_unqualified_name(self.key) {
            return config_err!(
                "--key {}: the query does not select this column, which tells what is written",
                self.key
            );
        }
        let progress = self.runner.progress();
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let written = query.write_parquet(&file, options, None).await;
        progress.finish();
        written?;
        let missing = self.missing(chunk, &file).await?;
        if missing.is_empty() {
            return Ok(());
        }
        // Rows may have gone meanwhile, such as files that were deleted.
        let todo = self.column(ctx.table(TODO).await?).await?;
        let gone = keys::missing(&missing, &todo)?;
        let missing = keys::missing(&missing, &gone)?;
        let key = self.key;
        match missing.is_empty() {
            true => Ok(()),
            false => config_err!(
                "--key {key}: {} of {} keys have no row in {file}, such as {}: expected a row with the {key} of each row of `{TODO}`",
                missing.len(),
                chunk.len(),
                ScalarValue::try_from_array(&missing, 0)?
            ),
        }
    }

    /// The keys of a chunk that a file does not have.
    async fn missing(&self, chunk: &Chunk, file: &str) -> Result<ArrayRef> {
        keys::missing(chunk.keys(), &self.written(file).await?)
    }

    /// The keys of Parquet files.
    async fn written(&self, url: &str) -> Result<ArrayRef> {
        let files = self
            .runner
            .ctx
            .read_parquet(url, ParquetReadOptions::default());
        let keys = async { self.column(files.await?).await };
        let about = |error: DataFusionError| {
            error.context(format!(
                "{url}: expected the answers of this query, with the column {}",
                self.key
            ))
        };
        keys.await.map_err(about)
    }

    /// The keys of all rows.
    async fn column(&self, rows: DataFrame) -> Result<ArrayRef> {
        let rows = rows.select_columns(&[self.key])?;
        let none = new_empty_array(rows.schema().field(0).data_type());
        let rows = rows.collect().await?;
        let columns: Vec<_> = rows.iter().map(|rows| rows.column(0).as_ref()).collect();
        Ok(match columns.is_empty() {
            true => none,
            false => concat(&columns)?,
        })
    }
}

/// The table of this name, or a file or URL.
fn table(from: &str) -> TableReference {
    match from.contains("://") || Path::new(from).exists() {
        true => TableReference::bare(from),
        false => from.into(),
    }
}

/// Refuses all but one query.
fn check(sql: &str) -> Result<()> {
    let statements = DFParser::parse_sql(sql)?;
    let is_query = |statement: &Statement| matches!(statement, Statement::Statement(statement) if matches!(**statement, ast::Statement::Query(_)));
    match statements.len() == 1 && statements.iter().all(is_query) {
        true => Ok(()),
        false => config_err!("--resume: expected one SELECT from the table `{TODO}`"),
    }
}
