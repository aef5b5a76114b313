//! `florence tasks`: the tables of tasks and cascades.

use std::io::Write;

use florence_tasks::{CascadeName, InputKind, Task};

use crate::failure::Failure;

pub(crate) fn tasks() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<30} {:<38} {:<8} {:<18} prompt",
        "name", "task token", "input", "answer"
    )?;
    for task in Task::ALL.iter().copied() {
        writeln!(
            out,
            "{:<30} {:<38} {:<8} {:<18} {}",
            task.name(),
            task.as_str(),
            input(task.input()),
            task.form().to_string(),
            task.prompt_template(),
        )?;
    }
    writeln!(out, "\n{:<38} {:<8} description", "cascade", "input")?;
    for cascade in CascadeName::ALL.iter().copied() {
        writeln!(
            out,
            "{:<38} {:<8} {}",
            cascade.name(),
            input(cascade.input()),
            cascade.description()
        )?;
    }
    Ok(())
}

fn input(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Text => "text",
        InputKind::Region => "region",
        _ => "-",
    }
}
