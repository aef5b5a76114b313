//! `florence tasks`: the tables of tasks and cascades.

use std::io::Write;

use florence_tasks::{CaptionLength, CascadeName, InputKind, Task};

use crate::failure::Failure;

pub(crate) fn tasks() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<30} {:<38} {:<8} {:<18} prompt",
        "name", "marker", "input", "answer"
    )?;
    for &task in Task::ALL {
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
    writeln!(out, "\n{:<38} {:<8} what it does", "cascade", "input")?;
    for cascade in CascadeName::ALL {
        writeln!(
            out,
            "{:<38} {:<8} {}",
            cascade.name(),
            input(cascade.input()),
            does(cascade)
        )?;
    }
    Ok(())
}

fn does(cascade: CascadeName) -> String {
    match cascade {
        CascadeName::CaptionAndGround(length) => {
            format!("{}, and the boxes of its phrases", caption(length))
        }
        CascadeName::CaptionAndCheck(length) => {
            format!(
                "{}, and which of its phrases the image bears out",
                caption(length)
            )
        }
        CascadeName::CheckCaption => "which phrases of a given caption the image bears out".into(),
        CascadeName::DetectAndDescribe => "objects, and a description of each".into(),
        CascadeName::DetectAndSegment => "objects, and the outline of each".into(),
    }
}

fn caption(length: CaptionLength) -> &'static str {
    match length {
        CaptionLength::Sentence => "a caption",
        CaptionLength::Detailed => "a detailed caption",
        CaptionLength::Paragraph => "a paragraph",
    }
}

fn input(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Text => "text",
        InputKind::Region => "region",
        _ => "-",
    }
}
