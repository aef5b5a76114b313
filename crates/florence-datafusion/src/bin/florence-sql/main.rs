//! `florence-sql`: questions about images in SQL, at once or in a shell.
#![forbid(unsafe_code)]

mod args;
mod print;
mod progress;
mod resume;
mod run;
mod shell;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use clap::Parser;
use datafusion::common::{DataFusionError, Result};
use datafusion::prelude::SessionContext;

use args::Args;
use run::Runner;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match work(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of stdout closed it, as `head` does.
        Err(error) if print::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", print::message(&error));
            ExitCode::FAILURE
        }
    }
}

async fn work(args: &Args) -> Result<()> {
    let ctx = context(args).await?;
    let runner = Runner::new(ctx, args);
    for (key, value) in &args.set {
        runner.set(key, value).await?;
    }
    if let Some(model) = &args.model {
        runner.set("florence.model", model).await?;
    }
    for (name, location) in &args.images {
        runner.images(name, location)?;
    }
    let sql = match (&args.sql, &args.command, &args.file) {
        (Some(sql), ..) | (_, Some(sql), _) => sql.clone(),
        (_, _, Some(file)) => std::fs::read_to_string(file).map_err(|error| {
            let reason = format!("--file {}: {error}", file.display());
            DataFusionError::Configuration(reason)
        })?,
        _ if std::io::stdin().is_terminal() => return shell::run(&runner).await,
        _ => {
            let mut sql = String::new();
            std::io::stdin().read_to_string(&mut sql)?;
            sql
        }
    };
    match &args.resume {
        Some(out) => resume::run(&runner, &sql, out, args).await,
        None => runner.run(&sql).await,
    }
}

#[cfg(feature = "ballista")]
async fn context(args: &Args) -> Result<SessionContext> {
    match &args.cluster {
        Some(url) => florence_datafusion::cluster::connect(url).await,
        None => florence_datafusion::context(),
    }
}

#[cfg(not(feature = "ballista"))]
async fn context(_: &Args) -> Result<SessionContext> {
    florence_datafusion::context()
}
