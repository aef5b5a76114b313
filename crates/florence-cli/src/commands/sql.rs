//! `florence sql`: hands over to the program `florence-sql`, which needs DataFusion and is installed by itself.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;

const PROGRAM: &str = "florence-sql";

/// Runs `florence-sql` with these arguments in place of this program.
pub(crate) fn sql(args: &[OsString]) -> Result<(), Failure> {
    let program = beside().unwrap_or_else(|| PROGRAM.into());
    let error = become_program(Command::new(program).args(args));
    Err(Failure::Other(match error.kind() {
        ErrorKind::NotFound => format!(
            "florence sql: the program {PROGRAM} is neither beside florence nor on the PATH: install it with `cargo install \
             florence-datafusion`, or from a checkout with `cargo install --path crates/florence-datafusion`"
        ),
        _ => format!("florence sql: {PROGRAM} cannot be started: {error}"),
    }))
}

/// The program in the folder of this one.
fn beside() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    let path = env::current_exe().ok()?.with_file_name(name);
    path.is_file().then_some(path)
}

/// Returns only if the program cannot be started.
#[cfg(unix)]
fn become_program(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Returns only if the program cannot be started.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
