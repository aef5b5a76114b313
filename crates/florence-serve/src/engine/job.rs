//! A queued request and its events.

use std::collections::VecDeque;
use std::time::Duration;

use florence_core::image::ImageNote;
use florence_tasks::{AnyTask, EncodedImage, PreparedImage, Size};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

use super::answer::Answer;
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
