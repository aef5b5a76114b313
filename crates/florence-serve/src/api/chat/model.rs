//! Names of the model: its own and its aliases, alone or with a tag.

use axum::http::StatusCode;
use florence_tasks::AnyTask;

use crate::api::App;
use crate::error::ApiError;
use crate::question::named;
use crate::truncate::Quoted;

/// The tag of a name that has none.
const LATEST: &str = "latest";
/// What a text asks for that names no task, under a name without a tag.
const DEFAULT: &str = "more_detailed_caption";

/// A name that the model is served under: `NAME`, `NAME:latest`, or `NAME:TASK` for the task of texts
/// that name none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Served<'a> {
    name: &'a str,
    task: Option<&'static str>,
}

impl<'a> Served<'a> {
    /// The model that a client means; case does not matter.
    ///
    /// # Errors
    ///
    /// When there is no such model.
    pub(in crate::api) fn find(app: &'a App, asked: &str) -> Result<Self, ApiError> {
        let found = names(app).find_map(|name| {
            let task = tagged(name, asked)?;
            Some(Self { name, task })
        });
        found.ok_or_else(|| {
            let message = format_args!(
                "model {} is not served: expected {name}, or {name}:TASK with a task such as od",
                Quoted(asked),
                name = app.model
            );
            ApiError::new(StatusCode::NOT_FOUND, "model_not_found", message).in_field("model")
        })
    }

    /// All names, with the tags of all tasks.
    pub(in crate::api) fn all(app: &'a App) -> impl Iterator<Item = Self> {
        names(app).flat_map(|name| {
            let tags = AnyTask::names().map(Some);
            let tags = std::iter::once(None).chain(tags);
            tags.map(move |task| Self { name, task })
        })
    }

    /// The task of a text that names none.
    pub(in crate::api) fn task(&self) -> &'static str {
        self.task.unwrap_or(DEFAULT)
    }

    /// `NAME` or `NAME:TASK`
    pub(in crate::api) fn id(&self) -> String {
        match self.task {
            None => self.name.to_owned(),
            Some(task) => format!("{}:{task}", self.name),
        }
    }

    /// `NAME:latest` or `NAME:TASK`
    pub(in crate::api) fn with_tag(&self) -> String {
        format!("{}:{}", self.name, self.task.unwrap_or(LATEST))
    }
}

fn names(app: &App) -> impl Iterator<Item = &str> {
    std::iter::once(&app.model)
        .chain(&app.aliases)
        .map(String::as_str)
}

/// The task of a name with an optional tag; nothing if it is another name or the tag is no task.
fn tagged(name: &str, asked: &str) -> Option<Option<&'static str>> {
    let (start, rest) = asked.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    match rest.strip_prefix(':') {
        None => rest.is_empty().then_some(None),
        Some(tag) if tag.eq_ignore_ascii_case(LATEST) => Some(None),
        Some(tag) => {
            let task = named(tag).ok()?;
            let mut names = AnyTask::names();
            names.find(|name| *name == task.name()).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_latest_or_a_task() {
        for (asked, task) in [
            ("a:b", None),
            ("A:B", None),
            ("a:b:latest", None),
            ("a:b:ocr", Some("ocr")),
            ("a:b:<OD>", Some("od")),
            ("a:b:detect_and_segment", Some("detect_and_segment")),
        ] {
            assert_eq!(tagged("a:b", asked), Some(task), "{asked}");
        }
        for asked in [
            "",
            "a",
            "a:",
            "a:b:",
            "a:b:7b",
            "a:bc",
            "a:b/ocr",
            "a:b:<DocVQA>",
            "日本",
        ] {
            assert_eq!(tagged("a:b", asked), None, "{asked}");
        }
    }
}
