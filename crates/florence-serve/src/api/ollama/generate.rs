//! `POST /api/generate` and `POST /api/chat`: a question about a photo.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error_body;
use super::request::Asked;
use super::timestamp::rfc3339;
use crate::api::App;
use crate::api::chat::{Progress, Reply, Served, TASK};
use crate::api::incoming::{self, Incoming};
use crate::api::streamed::lines;
use crate::error::ApiError;

pub(super) async fn generate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (incoming, request) = Incoming::receive(&app, request).await?;
    let asked = Asked::generate(&incoming::bytes(request).await?)?;
    answer(&app, incoming, asked, Form::Response).await
}

pub(super) async fn chat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (incoming, request) = Incoming::receive(&app, request).await?;
    let asked = Asked::chat(&incoming::bytes(request).await?)?;
    answer(&app, incoming, asked, Form::Message).await
}

/// What the text of an answer is called.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// `response`
    Response,
    /// `message`
    Message,
}

async fn answer(
    app: &App,
    incoming: Incoming,
    asked: Asked,
    form: Form,
) -> Result<Response, ApiError> {
    let about = About {
        model: asked.chat.model.clone(),
        form,
    };
    if asked.only_loads {
        Served::find(app, &about.model)?;
        let mut loaded = about.line("");
        loaded["done"] = json!(true);
        loaded["done_reason"] = json!("load");
        return Ok(Json(loaded).into_response());
    }
    let asking = asked.chat.ask(app, incoming, asked.streams).await?;
    let task = [(TASK, asking.label())];
    if asked.streams {
        let answer = asking.stream(move |progress| about.lines(progress));
        return Ok((task, lines(answer)).into_response());
    }
    let reply = asking.reply().await?;
    Ok((task, Json(about.last(&reply, &reply.content))).into_response())
}

struct About {
    model: String,
    form: Form,
}

impl About {
    /// The lines of a stream. The answer is one of them: beam search knows its text at the end.
    fn lines(&self, progress: Progress) -> Vec<Bytes> {
        let lines = match progress {
            Progress::Begun => Vec::new(),
            Progress::Reply(reply) => vec![self.line(&reply.content), self.last(&reply, "")],
            Progress::Failed(error) => vec![error_body(&error).1],
        };
        let lines = lines.into_iter();
        lines.map(|line| Bytes::from(format!("{line}\n"))).collect()
    }

    fn line(&self, text: &str) -> Value {
        let mut line = json!({
            "model": self.model,
            "created_at": rfc3339(SystemTime::now()),
            "done": false,
        });
        match self.form {
            Form::Response => line["response"] = json!(text),
            Form::Message => line["message"] = json!({ "role": "assistant", "content": text }),
        }
        line
    }

    /// The last line, with what was counted and measured.
    fn last(&self, reply: &Reply, text: &str) -> Value {
        let mut line = self.line(text);
        line["done"] = json!(true);
        line["done_reason"] = json!(if reply.is_cut_off { "length" } else { "stop" });
        line["prompt_eval_count"] = json!(reply.prompt_tokens);
        line["eval_count"] = json!(reply.new_tokens);
        for (name, time) in [
            ("total_duration", reply.total_time),
            ("load_duration", Duration::ZERO),
            ("prompt_eval_duration", reply.prompt_time),
            ("eval_duration", reply.decode_time),
        ] {
            line[name] = json!(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        }
        line
    }
}
