//! `--task`: any text, with the known names for completions.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use florence_tasks::{CascadeName, Task};

/// Parses the name of a task or cascade, or the marker of a fine-tune, which is checked later.
#[derive(Debug, Clone)]
pub(super) struct TaskName;

impl TypedValueParser for TaskName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let tasks = Task::ALL.iter();
        let tasks = tasks.map(|task| PossibleValue::new(task.name()).help(task.prompt_template()));
        let cascades = CascadeName::ALL.iter();
        let cascades =
            cascades.map(|name| PossibleValue::new(name.name()).help(name.description()));
        Some(Box::new(tasks.chain(cascades)))
    }
}
