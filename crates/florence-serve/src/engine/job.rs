//! A request on its way.

use std::collections::VecDeque;
use std::time::Duration;

use florence_core::image::ImageNote;
use florence_layout::Page;
use florence_postprocess::Diagnostic;
use florence_tasks::{
    AnyTask, CascadeAnswer, CascadeName, Cascaded, EncodedImage, Output, PreparedImage, Size, Task,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

use super::clock::Clock;
use super::error::EngineError;
use super::options::Options;

/// What a request is about.
#[derive(Debug)]
pub(crate) enum Photo {
    /// `upright` is whether it was turned as its EXIF orientation says.
    New {
        prepared: PreparedImage,
        upright: bool,
    },
    /// By the name that an earlier request was given, and whether it has to be upright, or not.
    Known {
        id: String,
        upright: Option<bool>,
    },
    Seen(EncodedImage),
}

/// What happens to a request, in order.
#[derive(Debug)]
pub(crate) enum Event {
    /// The photo was encoded, or found.
    Image {
        id: String,
        size: Size,
        notes: Vec<ImageNote>,
        /// Of the vision tower; nothing for a photo that was known.
        time: Option<Duration>,
    },
    Answer(Answer),
    /// A question cannot be answered; without an index, none can.
    Failed {
        index: Option<usize>,
        error: EngineError,
    },
    /// All questions are answered.
    Done,
}

impl Event {
    /// What became of a question.
    pub(crate) fn of(index: usize, answer: florence_tasks::Result<Answer>) -> Self {
        match answer {
            Ok(answer) => Self::Answer(answer),
            Err(error) => Self::Failed {
                index: Some(index),
                error: error.into(),
            },
        }
    }
}

/// An answer as clients get it.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// The position of the question.
    pub(crate) index: usize,
    task: &'static str,
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
}

#[derive(Debug, Serialize)]
struct PageText {
    text: String,
    markdown: String,
}

/// Where the time of an answer went, in milliseconds.
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
        task: Task,
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
            task: task.name(),
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
            task: name.name(),
            page: None,
            raw_text: None,
            score: None,
            diagnostics: Vec::new(),
            timings_ms: answer.timings.into(),
            value: json(&answer.value),
        }
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

/// What the library serialises has string keys, and numbers or null.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// A request with its questions, some of them answered. It holds its slot while it lives.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) photo: Photo,
    pub(crate) options: Options,
    questions: VecDeque<(usize, AnyTask)>,
    /// Whether each answer is wanted as soon as it can be had.
    one_by_one: bool,
    events: UnboundedSender<Event>,
    clock: Clock,
    _slot: OwnedSemaphorePermit,
}

impl Job {
    pub(crate) fn new(
        slot: OwnedSemaphorePermit,
        photo: Photo,
        questions: Vec<AnyTask>,
        options: Options,
        one_by_one: bool,
        clock: Clock,
        events: UnboundedSender<Event>,
    ) -> Self {
        Self {
            photo,
            options,
            questions: questions.into_iter().enumerate().collect(),
            one_by_one,
            events,
            clock,
            _slot: slot,
        }
    }

    /// The next question with its position.
    pub(crate) fn next(&mut self) -> Option<(usize, AnyTask)> {
        self.questions.pop_front()
    }

    /// Whether the next question is a cascade.
    pub(crate) fn is_at_cascade(&self) -> bool {
        self.questions
            .front()
            .is_some_and(|(_, question)| question.as_cascade().is_some())
    }

    /// Whether the next question may come in the same turn as the one before.
    pub(crate) fn takes_more(&self) -> bool {
        !self.one_by_one && !self.questions.is_empty() && !self.is_at_cascade()
    }

    /// Whether all questions were asked.
    pub(crate) fn is_done(&self) -> bool {
        self.questions.is_empty()
    }

    /// Whether nobody waits for the answers any more, or nobody has to.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.events.is_closed() || self.clock.has_run_out()
    }

    pub(crate) fn send(&self, event: Event) {
        // Who is gone needs no answer.
        let _ = self.events.send(event);
    }

    /// The end of a job: whoever waits is told, once its slot is free for the next.
    pub(crate) fn end(mut self, result: Result<(), EngineError>) {
        let result = match self.clock.has_run_out() {
            true => Err(EngineError::DeadlineExceeded),
            false => result,
        };
        self.clock.result = match result {
            _ if self.is_abandoned() => "abandoned",
            Ok(()) => "answered",
            Err(_) => "failed",
        };
        let events = self.events.clone();
        drop(self);
        // Who is gone needs no answer.
        let _ = events.send(match result {
            Ok(()) => Event::Done,
            Err(error) => Event::Failed { index: None, error },
        });
    }
}
