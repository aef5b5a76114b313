//! `--resume`: a query in chunks, each written as one Parquet file, without the rows that are written.

use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result, ScalarValue, config_err};
use datafusion::sql::parser::{DFParser, Statement};
use sha2::{Digest, Sha256};

use crate::args::Args;
use crate::run::Runner;

/// Runs the query about chunks of `todo` until nothing is left to do.
pub(crate) async fn run(runner: &Runner, sql: &str, out: &Path, args: &Args) -> Result<()> {
    let sql = single_query(sql)?;
    let folder = folder(out)?;
    let from = args.from.as_deref().unwrap_or_default();
    let ctx = &runner.ctx;
    let key = quoted(&args.key);
    let mut before = None;
    loop {
        ctx.deregister_table("done")?;
        let undone = if has_parquet(out)? {
            let done = format!(
                "CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION '{}'",
                text(&folder)
            );
            ctx.sql(&done).await?.collect().await?;
            // NULL is a key too, or it would be left to do for ever.
            format!("LEFT ANTI JOIN done ON source.{key} IS NOT DISTINCT FROM done.{key}")
        } else {
            String::new()
        };
        let undone = format!("SELECT source.* FROM {from} AS source {undone}");
        let left = ctx.sql(&undone).await?.count().await?;
        if left == 0 {
            return Ok(());
        }
        if before.is_some_and(|before| left >= before) {
            return config_err!(
                "--key {}: {left} rows are left, as before the last chunk: expected a row with the {} of each row of `todo`",
                args.key,
                args.key
            );
        }
        before = Some(left);
        // In order, so that a chunk whose client went away, and that a cluster goes on with, is the same
        // as the next client's.
        let todo = format!(
            "CREATE OR REPLACE VIEW todo AS {undone} ORDER BY source.{key} LIMIT {}",
            args.chunk
        );
        ctx.sql(&todo).await?.collect().await?;
        let chunk = ctx.sql(sql).await?;
        let has_key = chunk
            .schema()
            .field_with_unqualified_name(&args.key)
            .is_ok();
        if !has_key {
            return config_err!(
                "--key {}: the query does not select this column, which tells what is written",
                args.key
            );
        }
        let progress = runner.progress();
        let keys = ctx.sql(&format!("SELECT {key} FROM todo")).await?;
        let file = file(&folder, &keys.collect().await?)?;
        let copy = format!("COPY ({sql}) TO '{}' STORED AS PARQUET", text(&file));
        let written = ctx.sql(&copy).await?.collect().await;
        progress.finish();
        written?;
    }
}

/// Whether something was written; files that were interrupted have other endings.
fn has_parquet(out: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(out)? {
        if entry?
            .path()
            .extension()
            .is_some_and(|ending| ending == "parquet")
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The query without its semicolon.
fn single_query(sql: &str) -> Result<&str> {
    let statements = DFParser::parse_sql(sql)?;
    let is_query = statements.len() == 1
        && statements.front().is_some_and(|statement| match statement {
            Statement::Statement(statement) => {
                matches!(
                    statement.as_ref(),
                    datafusion::sql::sqlparser::ast::Statement::Query(_)
                )
            }
            _ => false,
        });
    match is_query {
        true => Ok(sql.trim().trim_end_matches(';')),
        false => config_err!("--resume: expected one SELECT from the table `todo`"),
    }
}

/// The folder with a slash at its end, made if it does not exist.
fn folder(out: &Path) -> Result<String> {
    let fail = |reason: String| {
        DataFusionError::Configuration(format!("--resume {}: {reason}", out.display()))
    };
    std::fs::create_dir_all(out).map_err(|error| fail(error.to_string()))?;
    let out = out
        .canonicalize()
        .map_err(|error| fail(error.to_string()))?;
    let name = out
        .to_str()
        .ok_or_else(|| fail("expected a name in UTF-8".to_owned()))?;
    Ok(format!("{name}/"))
}

/// The file of the chunk with these keys: whoever writes it writes the same rows.
fn file(folder: &str, keys: &[RecordBatch]) -> Result<String> {
    let mut hash = Sha256::new();
    for batch in keys {
        for row in 0..batch.num_rows() {
            let key = ScalarValue::try_from_array(batch.column(0), row)?;
            hash.update(format!("{key:?}\n"));
        }
    }
    let hash = hash.finalize();
    let name: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("{folder}{name}.parquet"))
}

fn text(value: &str) -> String {
    value.replace('\'', "''")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
