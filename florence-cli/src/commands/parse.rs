//! `florence parse`: raw answers to dicts, without a model.

use std::io::{BufRead, Write};

use florence_postprocess::compat::to_python_json;
use florence_postprocess::{Parsed, Size, parse_text};
use florence_tasks::{Flavor, Task};
use serde::{Deserialize, Serialize};

use crate::args::{Compat, ParseArgs};
use crate::failure::Failure;

/// A line of input.
#[derive(Debug, Deserialize)]
struct Line {
    task: String,
    text: String,
    size: [u32; 2],
}

/// A line of output, for an answer in our own form.
#[derive(Debug, Serialize)]
struct Typed<'a> {
    task: &'a str,
    #[serde(flatten)]
    parsed: Parsed,
}

pub(crate) fn parse(args: &ParseArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line, args.compat)
            .map_err(|reason| Failure::Input(format!("line {}: {reason}", number + 1)))?;
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn answer(line: &str, compat: Option<Compat>) -> Result<String, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        format!(
            "{error}; expected {{\"task\": \"<OD>\", \"text\": \"…\", \"size\": [width, height]}}"
        )
    })?;
    let size = Size::new(line.size[0], line.size[1]);
    if let Some(compat) = compat {
        let flavor = Flavor::from(compat);
        return Ok(to_python_json(
            &flavor.post_process(&line.text, &line.task, size),
        ));
    }
    let task: Task = line
        .task
        .parse()
        .map_err(|error: florence_tasks::Error| error.to_string())?;
    let parsed = parse_text(task.form(), &line.text, size);
    serde_json::to_string(&Typed {
        task: task.marker(),
        parsed,
    })
    .map_err(|error| error.to_string())
}
