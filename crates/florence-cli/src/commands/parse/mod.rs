//! `florence parse`: parses raw answers without a model.

mod input;
mod line;
mod surrogates;

use std::io::{StdoutLock, Write};

use florence_postprocess::compat::{Value, to_python_json};
use florence_postprocess::{Diagnostic, Parsed, parse_text};
use florence_tasks::{AnswerForm, AnyTask, Flavor, UnknownAnyTask};
use serde::Serialize;

use self::input::{Input, MAX_LINE};
use self::line::{Line, RawAnswer, Refused};
use crate::args::ParseArgs;
use crate::failure::Failure;
use crate::stderr::tell;

/// A typed answer.
#[derive(Debug, Serialize)]
struct Typed {
    task: String,
    #[serde(flatten)]
    parsed: Parsed,
}

/// The typed answers of a cascade.
#[derive(Debug, Serialize)]
struct TypedSteps {
    task: String,
    steps: Vec<Typed>,
}

/// The output for a line without an answer.
#[derive(Debug, Serialize)]
struct ErrorLine<'a> {
    line: usize,
    #[serde(flatten)]
    refused: &'a Refused,
}

pub(crate) fn parse(args: &ParseArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let flavor = args.compat.map(Flavor::from);
    let mut failed = None;
    for line in Input::new(std::io::stdin().lock()) {
        let (number, line) = line.map_err(|error| Failure::Other(format!("stdin: {error}")))?;
        let read = line.map_or_else(|| Err(too_long()), |line| Line::read(&line));
        // The remaining lines are still answered.
        match read.and_then(|line| answer(line, (flavor, args.answer), number)) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(refused) => {
                let failure = refuse(&mut out, number, &refused)?;
                failed.get_or_insert(failure);
            }
        }
    }
    failed.map_or(Ok(()), |failure| Err(Failure::Reported(Box::new(failure))))
}

fn too_long() -> Refused {
    Refused::from(format!("a line of more than {} MiB", MAX_LINE >> 20))
}

fn refuse(out: &mut StdoutLock<'_>, number: usize, refused: &Refused) -> Result<Failure, Failure> {
    let line = ErrorLine {
        line: number,
        refused,
    };
    writeln!(out, "{}", json(&line).map_err(Failure::Other)?)?;
    let failure = Failure::Input(format!("line {number}: {}", refused.error));
    failure.report();
    Ok(failure)
}

fn answer(
    line: Line,
    (flavor, form): (Option<Flavor>, Option<AnswerForm>),
    number: usize,
) -> Result<String, Refused> {
    Ok(match (line, flavor) {
        (Line::Answer(raw), None) => json(&typed(raw, form)?)?,
        (Line::Answer(raw), Some(flavor)) => to_python_json(&dict(&raw, flavor, number)),
        (Line::Cascade { name, steps }, None) => {
            let steps = steps.into_iter();
            let steps = steps
                .map(|raw| typed(raw, form))
                .collect::<Result<_, _>>()?;
            json(&TypedSteps { task: name, steps })?
        }
        (Line::Cascade { steps, .. }, Some(flavor)) => {
            let dicts = steps.iter().map(|raw| dict(raw, flavor, number));
            to_python_json(&Value::List(dicts.collect()))
        }
    })
}

/// `form` is that of the answers to markers; tasks have their own.
fn typed(raw: RawAnswer, form: Option<AnswerForm>) -> Result<Typed, Refused> {
    let task: AnyTask = raw
        .task
        .parse()
        .map_err(|error: UnknownAnyTask| error.to_string())?;
    let task = match (task.as_ask(), form) {
        (None, _) => {
            return Err(Refused::from(format!(
                "{task} is a cascade: expected its answers in `steps`"
            )));
        }
        (Some(_), Some(form)) if task.as_task().is_none() => task.answer(form),
        _ => task,
    };
    let mut parsed = parse_text(task.form(), &raw.text, raw.size);
    parsed.diagnostics.extend(raw.diagnostics);
    parsed
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.token);
    let task = task.to_string();
    Ok(Typed { task, parsed })
}

/// The output of a Python post-processor, which has no field for diagnostics: they go to stderr.
fn dict(raw: &RawAnswer, flavor: Flavor, number: usize) -> Value {
    for Diagnostic { kind, .. } in &raw.diagnostics {
        tell(format_args!("line {number}: note: {kind}, read as U+FFFD"));
    }
    flavor.post_process(&raw.text, &raw.task, raw.size)
}

fn json(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}
