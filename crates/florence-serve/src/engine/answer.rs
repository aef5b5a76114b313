//! Answers of the API.

use std::time::Duration;

use florence_layout::Page;
use florence_postprocess::Diagnostic;
use florence_tasks::{AnyTask, CascadeAnswer, CascadeName, Cascaded, FinishReason, Output};
use serde::Serialize;
use serde_json::Value;

/// An answer in the API.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// The position of the question.
    pub(crate) index: usize,
    task: String,
    /// `{"form", "value"}`
    value: Value,
    /// The lines of an OCR answer, in reading order.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PageText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    diagnostics: Vec<Diagnostic>,
    timings_ms: Timings,
    #[serde(skip)]
    generated: Generated,
}

/// The name of a task or cascade, or `custom` for the marker of a fine-tune, of which there may be any.
pub(crate) fn label(task: &AnyTask) -> &'static str {
    let cascade = task.as_cascade().map(|cascade| cascade.name().name());
    let task = task.as_task().map(|request| request.task().name());
    task.or(cascade).unwrap_or("custom")
}

/// What was generated for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generated {
    /// Tokens, of all steps of a cascade.
    pub(crate) tokens: usize,
    /// Whether `max_new_tokens` ended a text.
    pub(crate) is_cut_off: bool,
    pub(crate) encoder: Duration,
    pub(crate) decode: Duration,
}

impl Generated {
    fn of<T>(outputs: &[&Output<T>], timings: florence_tasks::Timings) -> Self {
        let cut_off = |output: &&Output<T>| output.finish == FinishReason::MaxNewTokens;
        // The first is the start token, which is given.
        let tokens = |output: &&Output<T>| output.token_ids.len().saturating_sub(1);
        Self {
            tokens: outputs.iter().map(tokens).sum(),
            is_cut_off: outputs.iter().any(cut_off),
            encoder: timings.encoder,
            decode: timings.decode,
        }
    }
}

#[derive(Debug, Serialize)]
struct PageText {
    text: String,
    markdown: String,
}

/// Times of an answer in milliseconds.
#[derive(Debug, Serialize)]
struct Timings {
    encoder: f64,
    decode: f64,
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl Answer {
    pub(crate) fn of_task(
        index: usize,
        task: &str,
        output: Output<florence_tasks::Answer>,
    ) -> Self {
        let page = output.value.text_regions();
        let page = (!page.is_empty()).then(|| {
            let page = Page::from_regions(page, output.size);
            PageText {
                text: page.to_text(),
                markdown: page.to_markdown(),
            }
        });
        Self {
            index,
            page,
            generated: Generated::of(&[&output], output.timings),
            task: task.to_owned(),
            value: json(&output.value),
            raw_text: Some(output.raw_text),
            score: Some(output.score),
            diagnostics: output.diagnostics,
            timings_ms: output.timings.into(),
        }
    }

    pub(crate) fn of_cascade(
        index: usize,
        name: CascadeName,
        answer: &Cascaded<CascadeAnswer>,
    ) -> Self {
        Self {
            index,
            task: name.name().to_owned(),
            page: None,
            raw_text: None,
            score: None,
            diagnostics: Vec::new(),
            timings_ms: answer.timings.into(),
            generated: Generated::of(&answer.steps.iter().collect::<Vec<_>>(), answer.timings),
            value: json(&answer.value),
        }
    }

    pub(crate) fn generated(&self) -> Generated {
        self.generated
    }

    /// `{"form", "value"}`
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The text of an answer that is nothing else.
    pub(crate) fn text(&self) -> Option<&str> {
        let is_text = self.value["form"] == "text";
        let text = is_text.then(|| &self.value["value"]["text"]);
        text.and_then(Value::as_str)
    }
}

impl From<florence_tasks::Timings> for Timings {
    fn from(timings: florence_tasks::Timings) -> Self {
        Self {
            encoder: milliseconds(timings.encoder),
            decode: milliseconds(timings.decode),
        }
    }
}

/// Cannot fail: the library serializes string keys only.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
