//! The `florence` command: Florence-2 tasks on images, from the shell.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod export_target;
mod failure;
mod image_name;
mod printable;
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
        Command::Run(args) => commands::run(&args),
        Command::Parse(args) => commands::parse(&args),
        Command::Serve(args) => commands::serve(&args),
        Command::Tasks => commands::tasks(),
        Command::Info(args) => commands::info(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}

/// Starts as many threads as `--threads` says, before anything else would start
/// the usual ones.
fn start_threads(threads: Option<usize>) -> Result<(), Failure> {
    let Some(threads) = threads else {
        return Ok(());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Failure::Other(format!("--threads {threads}: {error}")))
}
