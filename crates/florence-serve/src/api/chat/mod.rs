//! A chat about a photo, as the APIs of OpenAI and Ollama have it: what both make one question of, and
//! what both make of its answer.

mod instruction;
mod messages;
mod model;
mod reply;

use axum::http::HeaderName;
use florence_tasks::{AnyTask, Florence};
use tokio::time::Instant;

use super::App;
use super::base64;
use super::incoming::{Asked, Incoming, Upload};
use super::steps::Steps;
use crate::engine::{Options, label};
use crate::error::ApiError;

pub(super) use messages::{Message, Photo};
pub(super) use model::Served;
pub(super) use reply::{Progress, Reply};

/// The header that names the task of an answer.
pub(super) const TASK: HeaderName = HeaderName::from_static("florence-task");

/// A chat that has arrived.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) messages: Vec<Message>,
    /// The name of the model.
    pub(super) model: String,
    /// Whether the answer's text has to be JSON, whatever the task.
    pub(super) as_json: bool,
    /// Maximum tokens of the answer.
    pub(super) max_tokens: Option<u64>,
}

/// A chat whose question was queued.
#[derive(Debug)]
pub(super) struct Asking {
    task: AnyTask,
    steps: Steps,
    as_json: bool,
    start: Instant,
    florence: Florence,
}

impl Chat {
    /// Queues the question of the last user message, about the last photo.
    pub(super) async fn ask(
        self,
        app: &App,
        incoming: Incoming,
        streams: bool,
    ) -> Result<Asking, ApiError> {
        let served = Served::find(app, &self.model)?;
        let (text, photo) = messages::last(self.messages)?;
        let in_messages = |error: ApiError| error.in_field("messages");
        let question = instruction::question(&text, served.task());
        let task = question.and_then(|asked| asked.check(&app.limits));
        let task = task.map_err(in_messages)?;
        let file = base64::decode(&photo.place, &photo.base64).map_err(in_messages)?;
        drop(photo);
        let start = incoming.start;
        let asked = Asked {
            photo: Upload::File(file),
            // These programs show photos upright, and have no option that says so.
            exif_orientation: Some(true),
            questions: vec![task.clone()],
            options: Options::at_most(self.max_tokens, &app.limits),
            one_by_one: streams,
        };
        Ok(Asking {
            task,
            steps: incoming.submit(app, asked).await?,
            as_json: self.as_json,
            start,
            florence: app.florence.clone(),
        })
    }
}

impl Asking {
    /// The name of its task or cascade, `custom` for a fine-tune's marker.
    pub(super) fn label(&self) -> &'static str {
        label(&self.task)
    }
}
