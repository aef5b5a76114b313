//! The shell.

use std::path::PathBuf;

use datafusion::common::{DataFusionError, Result};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::print;
use crate::run::Runner;

const HELP: &str = "\
Statements end with a semicolon. Ctrl-C stops a query, Ctrl-D leaves the shell.
  CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION 'photos/';
  SELECT path, florence_text(path, 'caption') FROM photos LIMIT 3;
  SET florence.model = 'microsoft/Florence-2-base-ft';
  SHOW TABLES;  SHOW FUNCTIONS;  \\q";

/// Reads and runs statements until the end of input.
pub(crate) async fn run(runner: &Runner) -> Result<()> {
    let mut editor = DefaultEditor::new().map_err(external)?;
    let history = history();
    if let Some(history) = &history {
        // There is none before the first session.
        let _ = editor.load_history(history);
    }
    println!("florence-sql {}: \\h for help", env!("CARGO_PKG_VERSION"));
    let mut statement = String::new();
    loop {
        let prompt = if statement.is_empty() { "> " } else { "… " };
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                statement.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(external(error)),
        };
        match line.trim() {
            "\\q" | "quit" | "exit" if statement.is_empty() => break,
            "\\h" | "help" if statement.is_empty() => println!("{HELP}"),
            "" if statement.is_empty() => (),
            _ => {
                statement.push_str(&line);
                statement.push('\n');
            }
        }
        if !statement.trim_end().ends_with(';') {
            continue;
        }
        let whole = std::mem::take(&mut statement);
        // Lines that are too long for the history are not kept.
        let _ = editor.add_history_entry(whole.trim());
        let done = tokio::select! {
            done = runner.run(&whole) => done,
            _ = tokio::signal::ctrl_c() => {
                eprintln!("interrupted");
                Ok(())
            }
        };
        if let Err(error) = done {
            eprintln!("{}", print::message(&error));
        }
    }
    if let Some(history) = &history {
        // A history that cannot be written is no reason to fail.
        let _ = editor.save_history(history);
    }
    Ok(())
}

fn history() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(".florence_sql_history"))
}

fn external(error: ReadlineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
