//! `florence tasks`: the table of tasks.

use std::io::Write;

use florence_tasks::{InputKind, Task};

use crate::failure::Failure;

pub(crate) fn tasks() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<30} {:<38} {:<8} {:<18} prompt",
        "name", "marker", "input", "answer"
    )?;
    for task in Task::ALL {
        writeln!(
            out,
            "{:<30} {:<38} {:<8} {:<18} {}",
            task.name(),
            task.marker(),
            input(task),
            task.form().to_string(),
            task.sentence(),
        )?;
    }
    Ok(())
}

fn input(task: Task) -> &'static str {
    match task.input() {
        InputKind::None => "-",
        InputKind::Text => "text",
        InputKind::Region => "region",
    }
}
