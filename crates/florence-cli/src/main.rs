//! The `florence` command: Florence-2 tasks on images, from the shell.
#![forbid(unsafe_code)]

mod args;
mod bar;
mod commands;
mod export_target;
mod failure;
mod image_name;
mod images;
mod model_name;
mod printable;
mod signals;
mod stderr;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = start_threads(command.threads()).and_then(|()| match command {
        Command::Run(args) => commands::run(*args),
        Command::Parse(args) => commands::parse(&args),
        Command::Serve(args) => commands::serve(&args),
        Command::Sql(args) => commands::sql(&args.args),
        Command::Tasks => commands::tasks(),
        Command::Info(args) => commands::info(&args),
        Command::Models => commands::models(),
        Command::Download(args) => commands::download(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Man(args) => commands::man(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of stdout closed it, as `head` does.
        Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}

/// Builds rayon's global pool with `--threads` threads, before anything else starts it.
fn start_threads(threads: Option<usize>) -> Result<(), Failure> {
    let Some(threads) = threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Failure::Other(format!("--threads {threads}: {error}")))
}
