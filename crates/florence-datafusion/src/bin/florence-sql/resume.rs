//! `--resume`: a query in chunks, each written as one Parquet file, without the rows that are written.

use std::path::Path;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::{concat, sort_limit};
use datafusion::common::{Column, DataFusionError, Result, ScalarValue, config_err};
use datafusion::prelude::{DataFrame, Expr, lit};
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
        let undone = format!("SELECT source.{key} FROM {from} AS source {undone}");
        let undone = keys(ctx.sql(&undone).await?).await?;
        let left = undone.len();
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
        let chunk = sort_limit(&undone, None, Some(args.chunk as usize))?;
        ctx.deregister_table("todo")?;
        let todo = ctx
            .table(from)
            .await?
            .filter(is_one_of(&args.key, &chunk)?)?;
        ctx.register_table("todo", todo.into_view())?;
        let file = file(&folder, &chunk)?;
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

/// The only column of all rows.
async fn keys(query: DataFrame) -> Result<ArrayRef> {
    let none = new_empty_array(query.schema().field(0).data_type());
    let rows = query.collect().await?;
    let rows = rows.iter().map(|rows| rows.column(0).as_ref());
    let rows: Vec<_> = rows.collect();
    Ok(if rows.is_empty() {
        none
    } else {
        concat(&rows)?
    })
}

/// Whether a row has one of these keys, which may be NULL.
fn is_one_of(key: &str, keys: &ArrayRef) -> Result<Expr> {
    let column = || Expr::Column(Column::from_name(key));
    let values = (0..keys.len()).filter(|row| keys.is_valid(*row));
    let values = values.map(|row| Ok(lit(ScalarValue::try_from_array(keys, row)?)));
    let listed = column().in_list(values.collect::<Result<_>>()?, false);
    Ok(match keys.null_count() {
        0 => listed,
        _ => listed.or(column().is_null()),
    })
}

/// The file of the chunk with these keys: whoever writes it writes the same rows.
fn file(folder: &str, keys: &ArrayRef) -> Result<String> {
    let mut hash = Sha256::new();
    for row in 0..keys.len() {
        hash.update(format!("{:?}\n", ScalarValue::try_from_array(keys, row)?));
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
