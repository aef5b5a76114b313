//! A queued request, its events and its answers.

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

use super::error::EngineError;
use super::options::Options;
use super::timer::RequestTimer;

/// The photo of a request.
#[derive(Debug)]
pub(crate) enum Photo {
    /// `upright`: whether the EXIF orientation was applied.
    New {
        prepared: PreparedImage,
        upright: bool,
    },
    /// By its id, and the frame that the request expects, if any.
    Cached {
        id: String,
        upright: Option<bool>,
    },
    Encoded(EncodedImage),
}

/// Events of a request, in order.
#[derive(Debug)]
pub(crate) enum Event {
    /// The photo was encoded, or found in the cache.
    Image {
        id: String,
        size: Size,
        notes: Vec<ImageNote>,
        /// Of the vision tower; `None` for a cached photo.
        time: Option<Duration>,
    },
    Answer(Answer),
    /// A question failed; without an index, all remaining ones.
    Failed {
        index: Option<usize>,
        error: EngineError,
    },
    /// All questions are answered.
    Done,
}

impl Event {
    /// The event of a question's result.
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

/// An answer in the API.
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

/// Cannot fail: the library serializes string keys only.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// A request with its remaining questions. It holds its queue slot until it is dropped.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) photo: Photo,
    pub(crate) options: Options,
    questions: VecDeque<(usize, AnyTask)>,
    /// Whether answers are streamed, so that each should come as soon as possible.
    one_by_one: bool,
    events: UnboundedSender<Event>,
    timer: RequestTimer,
    _slot: OwnedSemaphorePermit,
}

impl Job {
    pub(crate) fn new(
        slot: OwnedSemaphorePermit,
        photo: Photo,
        questions: Vec<AnyTask>,
        options: Options,
        one_by_one: bool,
        timer: RequestTimer,
        events: UnboundedSender<Event>,
    ) -> Self {
        Self {
            photo,
            options,
            questions: questions.into_iter().enumerate().collect(),
            one_by_one,
            events,
            timer,
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

    /// Whether a further question may join the same batch.
    pub(crate) fn takes_more(&self) -> bool {
        !self.one_by_one && !self.questions.is_empty() && !self.is_at_cascade()
    }

    /// Whether no questions remain.
    pub(crate) fn is_done(&self) -> bool {
        self.questions.is_empty()
    }

    /// Whether the client is gone or the deadline has passed.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.events.is_closed() || self.timer.is_expired()
    }

    pub(crate) fn send(&self, event: Event) {
        // Fails only if the client is gone.
        let _ = self.events.send(event);
    }

    /// Ends the job: frees its slot, then sends the last event.
    pub(crate) fn end(mut self, result: Result<(), EngineError>) {
        let result = match self.timer.is_expired() {
            true => Err(EngineError::DeadlineExceeded),
            false => result,
        };
        self.timer.result = match result {
            _ if self.is_abandoned() => "abandoned",
            Ok(()) => "answered",
            Err(_) => "failed",
        };
        let events = self.events.clone();
        drop(self);
        // Fails only if the client is gone.
        let _ = events.send(match result {
            Ok(()) => Event::Done,
            Err(error) => Event::Failed { index: None, error },
        });
    }
}
