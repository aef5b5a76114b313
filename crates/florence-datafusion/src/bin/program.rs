//! What `florence-scheduler` and `florence-executor` have in common: the log, the threads, the exit code.

use std::process::ExitCode;

use ballista_core::error::Result;

/// Plans are deep.
const STACK: usize = 32 << 20;

/// Runs a server to its end; an error is printed behind the program's name.
pub(crate) fn run(name: &str, server: impl Future<Output = Result<()>>) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().thread_stack_size(STACK).build();
    match runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(server))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
