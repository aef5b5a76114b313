//! `--resume`: a query in chunks, each written as one Parquet file, without the rows that are written.

mod folder;
mod keys;

use datafusion::common::{Result, config_err};
use datafusion::prelude::ParquetReadOptions;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;

use self::folder::Folder;
use self::keys::{Chunk, Keys, column};
use crate::args::Args;
use crate::run::Runner;

/// Runs the query about one chunk of `todo` after the other.
pub(crate) async fn run(runner: &Runner, sql: &str, out: &str, args: &Args) -> Result<()> {
    let resumed = Resumed {
        runner,
        sql: single_query(sql)?,
        from: args.from.as_deref().unwrap_or_default(),
        key: &args.key,
        out: Folder::new(out)?,
    };
    let keys = resumed.keys().await?;
    for chunk in keys.undone(args.chunk as usize)? {
        resumed.write(&chunk).await?;
    }
    Ok(())
}

struct Resumed<'a> {
    runner: &'a Runner,
    sql: &'a str,
    from: &'a str,
    key: &'a str,
    out: Folder,
}

impl Resumed<'_> {
    /// The keys of the table, and which of them are written.
    async fn keys(&self) -> Result<Keys> {
        let ctx = &self.runner.ctx;
        let all = ctx.table(self.from).await?;
        let all = column(all.select_columns(&[self.key])?).await?;
        if !self.out.has_parquet(ctx).await? {
            return Keys::new(&all, &all.slice(0, 0));
        }
        let done = ctx.read_parquet(self.out.url(), ParquetReadOptions::default());
        let done = done.await?.select_columns(&[self.key])?;
        Keys::new(&all, &column(done).await?)
    }

    /// Writes the rows of a chunk, and sees that all are there.
    async fn write(&self, chunk: &Chunk) -> Result<()> {
        let ctx = &self.runner.ctx;
        ctx.deregister_table("todo")?;
        let todo = ctx.table(self.from).await?;
        let todo = todo.filter(chunk.filter(self.key)?)?;
        ctx.register_table("todo", todo.into_view())?;
        let query = ctx.sql(self.sql).await?;
        if !query.schema().has_column_with_unqualified_name(self.key) {
            return config_err!(
                "--key {}: the query does not select this column, which tells what is written",
                self.key
            );
        }
        let file = self.out.file(&chunk.name()?);
        let progress = self.runner.progress();
        let copy = format!(
            "COPY ({}) TO '{}' STORED AS PARQUET",
            self.sql,
            file.replace('\'', "''")
        );
        let copied = ctx.sql(&copy).await?.collect().await;
        progress.finish();
        copied?;
        let written = ctx.read_parquet(&file, ParquetReadOptions::default());
        let written = written.await?.select_columns(&[self.key])?;
        let key = self.key;
        let lacking = chunk.without(&column(written).await?)?;
        match lacking.first()? {
            None => Ok(()),
            Some(first) => config_err!(
                "--key {key}: {} of {} keys have no row in {file}, such as {first}: expected a row with the {key} of each row of `todo`",
                lacking.len(),
                chunk.len()
            ),
        }
    }
}

/// The query without its semicolon.
fn single_query(sql: &str) -> Result<&str> {
    let statements = DFParser::parse_sql(sql)?;
    let is_query = |statement: &Statement| matches!(statement, Statement::Statement(statement) if matches!(**statement, ast::Statement::Query(_)));
    match statements.len() == 1 && statements.iter().all(is_query) {
        true => Ok(sql.trim().trim_end_matches(';')),
        false => config_err!("--resume: expected one SELECT from the table `todo`"),
    }
}
