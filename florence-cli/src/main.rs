//! The `florence` command: Florence-2 tasks on images, from the shell.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => commands::run(&args),
        Command::Parse(args) => commands::parse(&args),
        Command::Tasks => commands::tasks(),
        Command::Info(args) => commands::info(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Reported(_)) {
                eprintln!("florence: {failure}");
            }
            failure.exit_code()
        }
    }
}
