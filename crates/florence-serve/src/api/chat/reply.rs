//! The answer to a chat: its text, and what is counted and measured of it.

use std::convert::Infallible;
use std::time::Duration;

use florence_tasks::{AnyTask, Florence, InputSize, Size};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::{Asking, Steps};
use crate::engine::{Answer, Event};
use crate::error::ApiError;

/// What a client is told of its question, in order.
#[derive(Debug)]
pub(in crate::api) enum Progress {
    /// The photo is encoded.
    Begun,
    Reply(Reply),
    Failed(ApiError),
}

/// An answer as text.
#[derive(Debug)]
pub(in crate::api) struct Reply {
    /// The text of a text task, JSON of all others.
    pub(in crate::api) content: String,
    /// Whether the token limit ended it.
    pub(in crate::api) is_cut_off: bool,
    /// Tokens of the photo and, for a task, of its prompt.
    pub(in crate::api) prompt_tokens: usize,
    pub(in crate::api) new_tokens: usize,
    /// Of the vision tower and the encoder.
    pub(in crate::api) prompt_time: Duration,
    pub(in crate::api) decode_time: Duration,
    /// Since the head of the request.
    pub(in crate::api) total_time: Duration,
}

impl Asking {
    /// The answer, when it is there.
    pub(in crate::api) async fn reply(self) -> Result<Reply, ApiError> {
        let (mut steps, mut watched) = self.watched();
        loop {
            match watched.read(steps.next().await) {
                Some(Progress::Reply(reply)) => return Ok(reply),
                Some(Progress::Failed(error)) => return Err(error),
                Some(Progress::Begun) | None => (),
            }
        }
    }

    /// What `render` makes of the progress, until the answer or until the client is gone.
    pub(in crate::api) fn stream<T: Send + 'static>(
        self,
        mut render: impl FnMut(Progress) -> Vec<T> + Send + 'static,
    ) -> ReceiverStream<Result<T, Infallible>> {
        let (steps, mut watched) = self.watched();
        steps.stream(move |event| watched.read(event).map(&mut render).unwrap_or_default())
    }

    fn watched(self) -> (Steps, Watched) {
        let watched = Watched {
            task: self.task,
            as_json: self.as_json,
            start: self.start,
            florence: self.florence,
            photo: None,
            result: None,
        };
        (self.steps, watched)
    }
}

/// What is known of a question while it is answered.
struct Watched {
    task: AnyTask,
    as_json: bool,
    start: Instant,
    florence: Florence,
    /// The photo's size, and the time that the vision tower took.
    photo: Option<(Size, Duration)>,
    result: Option<Result<Reply, ApiError>>,
}

impl Watched {
    /// The result is told when the request is over, so that it counts as answered.
    fn read(&mut self, event: Event) -> Option<Progress> {
        match event {
            Event::Image { size, time, .. } => {
                self.photo = Some((size, time.unwrap_or_default()));
                Some(Progress::Begun)
            }
            Event::Answer(answer) => {
                self.result = Some(Ok(self.reply(&answer)));
                None
            }
            Event::Failed { index, error } => {
                let error = error.into();
                if index.is_none() {
                    return Some(Progress::Failed(error));
                }
                self.result = Some(Err(error));
                None
            }
            Event::Done => Some(match self.result.take() {
                Some(Ok(reply)) => Progress::Reply(reply),
                Some(Err(error)) => Progress::Failed(error),
                None => Progress::Failed(ApiError::internal()),
            }),
        }
    }

    fn reply(&self, answer: &Answer) -> Reply {
        let generated = answer.generated();
        let (tokens, vision) = self.photo.map_or((0, Duration::ZERO), |(size, time)| {
            (self.prompt_tokens(size), time)
        });
        Reply {
            content: match answer.text() {
                Some(text) if !self.as_json => text.to_owned(),
                _ => answer.value().to_string(),
            },
            is_cut_off: generated.is_cut_off,
            prompt_tokens: tokens,
            new_tokens: generated.tokens,
            prompt_time: vision + generated.encoder,
            decode_time: generated.decode,
            total_time: self.start.elapsed(),
        }
    }

    fn prompt_tokens(&self, size: Size) -> usize {
        let prompt = self.task.as_ask().and_then(|ask| {
            let prompt = ask.question().ok()?.prompt;
            prompt.to_ids(self.florence.tokenizer(), size).ok()
        });
        let config = self.florence.model().config();
        let (width, height) = (size.width as usize, size.height as usize);
        let input = config.image.input_size(InputSize { width, height });
        let visual = config.visual_tokens(input).unwrap_or(0);
        visual + prompt.map_or(0, |ids| ids.len())
    }
}
