//! The events of a queued request, one by one or as a stream.

use std::convert::Infallible;

use tokio::sync::mpsc::channel;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;

use crate::engine::{Answers, EngineError, Event};

/// The events of a request until its deadline. Dropping it cancels what has not begun.
#[derive(Debug)]
pub(super) struct Steps {
    answers: Answers,
    deadline: Instant,
}

impl Steps {
    pub(super) fn new(answers: Answers, deadline: Instant) -> Self {
        Self { answers, deadline }
    }

    /// The next event; a passed deadline is a failure of the request.
    pub(super) async fn next(&mut self) -> Event {
        let event = timeout_at(self.deadline, self.answers.0.recv()).await;
        let error = match event {
            Ok(Some(event)) => return event,
            Ok(None) => EngineError::Failed,
            Err(_) => EngineError::DeadlineExceeded,
        };
        Event::Failed { index: None, error }
    }

    /// What `render` makes of every event, until the last one or until the client is gone.
    pub(super) fn stream<T: Send + 'static>(
        mut self,
        mut render: impl FnMut(Event) -> Vec<T> + Send + 'static,
    ) -> ReceiverStream<Result<T, Infallible>> {
        let (sender, receiver) = channel(1);
        tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    event = self.next() => event,
                    // Dropping the answers cancels the questions.
                    () = sender.closed() => return,
                };
                let is_last = matches!(event, Event::Done | Event::Failed { index: None, .. });
                for item in render(event) {
                    // The deadline holds for slow readers too.
                    let sent = timeout_at(self.deadline, sender.send(Ok(item))).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        return;
                    }
                }
                if is_last {
                    return;
                }
            }
        });
        ReceiverStream::new(receiver)
    }
}
