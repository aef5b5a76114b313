//! `POST /v1/chat/completions`: a question about a photo as a chat.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::request::Completion;
use super::{error_body, seconds};
use crate::api::App;
use crate::api::chat::{Progress, Reply, TASK};
use crate::api::incoming::{self, Incoming};
use crate::api::streamed::events;
use crate::engine::random_id;
use crate::error::ApiError;

pub(super) async fn create(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (incoming, request) = Incoming::receive(&app, request).await?;
    let completion = Completion::read(&incoming::bytes(request).await?)?;
    let about = About {
        id: format!("chatcmpl-{}", random_id()?),
        created: seconds(SystemTime::now()),
        model: completion.chat.model.clone(),
        includes_usage: completion.includes_usage,
    };
    let asking = completion
        .chat
        .ask(&app, incoming, completion.streams)
        .await?;
    let task = [(TASK, asking.label())];
    if completion.streams {
        let chunks = asking.stream(move |progress| about.events(progress));
        return Ok((task, events(chunks)).into_response());
    }
    let reply = asking.reply().await?;
    Ok((task, Json(about.whole(&reply))).into_response())
}

/// What all chunks of a completion have in common.
struct About {
    id: String,
    created: u64,
    model: String,
    includes_usage: bool,
}

impl About {
    /// An answer in one piece.
    fn whole(&self, reply: &Reply) -> Value {
        let message = json!({ "role": "assistant", "content": reply.content, "refusal": null });
        let choice = json!({
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish_reason(reply),
        });
        let mut whole = self.object("chat.completion", vec![choice]);
        whole["usage"] = usage(reply);
        whole
    }

    fn object(&self, kind: &str, choices: Vec<Value>) -> Value {
        json!({
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        })
    }

    /// The events of a stream. The answer is one chunk: beam search knows its text at the end.
    fn events(&self, progress: Progress) -> Vec<Event> {
        let chunk = |delta: Value, finish: Option<&str>| {
            let choice = json!({
                "index": 0,
                "delta": delta,
                "logprobs": null,
                "finish_reason": finish,
            });
            let mut chunk = self.object("chat.completion.chunk", vec![choice]);
            if self.includes_usage {
                chunk["usage"] = Value::Null;
            }
            event(&chunk)
        };
        match progress {
            Progress::Begun => {
                vec![chunk(json!({ "role": "assistant", "content": "" }), None)]
            }
            Progress::Reply(reply) => {
                let mut events = vec![
                    chunk(json!({ "content": reply.content }), None),
                    chunk(json!({}), Some(finish_reason(&reply))),
                ];
                if self.includes_usage {
                    let mut last = self.object("chat.completion.chunk", Vec::new());
                    last["usage"] = usage(&reply);
                    events.push(event(&last));
                }
                events.push(Event::default().data("[DONE]"));
                events
            }
            Progress::Failed(error) => vec![event(&error_body(&error).1)],
        }
    }
}

fn event(data: &Value) -> Event {
    Event::default().data(data.to_string())
}

fn finish_reason(reply: &Reply) -> &'static str {
    if reply.is_cut_off { "length" } else { "stop" }
}

fn usage(reply: &Reply) -> Value {
    json!({
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.new_tokens,
        "total_tokens": reply.prompt_tokens + reply.new_tokens,
    })
}
