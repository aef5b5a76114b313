//! Runs statements.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use florence_datafusion::ImagesTable;
use futures::TryStreamExt;

use crate::args::{Args, Format};
use crate::print::Printer;
use crate::progress::Progress;

/// A session, and how its results are shown.
pub(crate) struct Runner {
    pub(crate) ctx: SessionContext,
    format: Format,
    quiet: bool,
}

impl Runner {
    pub(crate) fn new(ctx: SessionContext, args: &Args) -> Self {
        Self {
            ctx,
            format: args.format,
            quiet: args.quiet,
        }
    }

    /// `SET key = 'value'`.
    pub(crate) async fn set(&self, key: &str, value: &str) -> Result<()> {
        let value = value.replace('\'', "''");
        self.ctx
            .sql(&format!("SET {key} = '{value}'"))
            .await?
            .collect()
            .await?;
        Ok(())
    }

    /// Adds a table of images.
    pub(crate) fn images(&self, name: &str, location: &str) -> Result<()> {
        self.ctx
            .register_table(name, Arc::new(ImagesTable::new([location])))?;
        Ok(())
    }

    /// Runs statements one after another, and prints their rows.
    pub(crate) async fn run(&self, sql: &str) -> Result<()> {
        for statement in DFParser::parse_sql(sql)? {
            let frame = self.frame(statement).await?;
            self.print(frame).await?;
        }
        Ok(())
    }

    async fn frame(&self, statement: Statement) -> Result<DataFrame> {
        let plan = self.ctx.state().statement_to_plan(statement).await?;
        self.ctx.execute_logical_plan(plan).await
    }

    async fn print(&self, frame: DataFrame) -> Result<()> {
        let progress = self.progress();
        let mut printer = Printer::new(self.format, frame.schema().as_arrow());
        let mut batches = frame.execute_stream().await?;
        while let Some(batch) = batches.try_next().await? {
            progress.above(|| printer.add(batch))?;
        }
        progress.finish();
        printer.finish()
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress::start(self.quiet)
    }
}
