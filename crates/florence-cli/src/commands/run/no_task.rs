//! `florence run` without a task: what it could be asked.

use std::fmt::Write;

use florence_tasks::{CascadeName, InputKind, Task};

use crate::args::RunArgs;
use crate::failure::Failure;
use crate::stderr::tell;

/// Refuses arguments that ask nothing, or about no image; on a terminal with the list of tasks.
pub(super) fn check(args: &RunArgs, is_terminal: bool) -> Result<(), Failure> {
    if args.question.task.is_empty() && args.question.prompt.is_none() {
        if is_terminal {
            tell(list().trim_end());
        }
        return Err(Failure::Usage(
            "expected --task, such as `florence run --task od photo.jpg`; `florence tasks` lists them"
                .to_owned(),
        ));
    }
    if args.images.is_empty() && args.from.is_none() {
        return Err(Failure::Usage(
            "expected images: files, folders or quoted patterns, or --from with a list".to_owned(),
        ));
    }
    Ok(())
}

/// Names that `--task` takes, with what they need beside the image.
fn list() -> String {
    let mut text = "what should be done with the images? --task is one of\n".to_owned();
    let tasks = Task::ALL.iter();
    let tasks = tasks.map(|task| (task.name(), task.input(), task.prompt_template()));
    let cascades = CascadeName::ALL.iter();
    let cascades = cascades.map(|name| (name.name(), name.input(), name.description()));
    for (name, input, about) in tasks.chain(cascades) {
        let also = match input {
            InputKind::Text => " --text …",
            InputKind::Region => " --region …",
            _ => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:<42} {about}", format!("{name}{also}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_task_and_what_it_needs() {
        let text = list();
        for name in Task::ALL.iter().map(|task| task.name()) {
            assert!(text.contains(&format!("\n  {name} ")), "{name}");
        }
        for line in ["  region_to_ocr --region … ", "  check_caption --text … "] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(
            text.lines().count(),
            1 + Task::ALL.len() + CascadeName::ALL.len()
        );
    }
}
