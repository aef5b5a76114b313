//! `POST /v1/run`: questions about a photo.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use florence_core::image::ImageNote;
use florence_tasks::{AnyTask, Size};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;

use super::App;
use super::body::{Body, Expected};
use super::incoming::Incoming;
use crate::engine::{Answers, Event, milliseconds};
use crate::error::ApiError;

pub(super) async fn run(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let streams = wants_stream(&request);
    let incoming = Incoming::receive(&app, request, Expected::Questions).await?;
    let questions = questions(&app, &incoming.body)?;
    let deadline = incoming.deadline;
    let answers = incoming.submit(&app, questions, streams).await?;
    if streams {
        let (sender, receiver) = channel(1);
        tokio::spawn(stream(answers, sender, deadline));
        let events = Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default());
        // Keeps proxies from buffering the stream.
        Ok(([("x-accel-buffering", "no")], events).into_response())
    } else {
        let (mut whole, answers) = collect(answers, deadline).await?;
        whole["answers"] = answers.into();
        Ok(Json(whole).into_response())
    }
}

fn wants_stream(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT);
    accepted
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/event-stream"))
}

fn questions(app: &App, body: &Body) -> Result<Vec<AnyTask>, ApiError> {
    let count = body.questions.len();
    if !(1..=app.limits.max_questions).contains(&count) {
        return Err(ApiError::invalid_question(format!(
            "{count} questions, expected 1 to {}",
            app.limits.max_questions
        )));
    }
    let options = body.options.check(&app.limits);
    options.map_err(ApiError::invalid_question)?;
    let questions = body.questions.iter().enumerate();
    questions
        .map(|(index, asked)| {
            asked.check(&app.limits).map_err(|error| ApiError {
                message: format!("question {index}: {}", error.message),
                ..error
            })
        })
        .collect()
}

/// Collects all answers: about the photo, and the answers in the order of the questions.
pub(super) async fn collect(
    mut answers: Answers,
    deadline: Instant,
) -> Result<(Value, Vec<Value>), ApiError> {
    let mut about = Value::Null;
    let mut values = Vec::new();
    loop {
        let event = timeout_at(deadline, answers.0.recv()).await;
        match event.map_err(|_| ApiError::deadline_exceeded())? {
            Some(Event::Image {
                id, size, notes, ..
            }) => about = about_photo(&id, size, &notes),
            Some(Event::Answer(answer)) => {
                values.push((answer.index, json!(answer)));
            }
            Some(Event::Failed {
                index: Some(index),
                error,
            }) => {
                let mut value = json!(ApiError::from(error).body());
                value["index"] = index.into();
                values.push((index, value));
            }
            Some(Event::Failed { index: None, error }) => return Err(error.into()),
            Some(Event::Done) => break,
            None => return Err(ApiError::internal()),
        }
    }
    values.sort_by_key(|(index, _)| *index);
    let values = values.into_iter().map(|(_, value)| value).collect();
    Ok((about, values))
}

/// The fields about the photo.
fn about_photo(id: &str, size: Size, notes: &[ImageNote]) -> Value {
    let mut about = json!({ "image_id": id, "size": size });
    if !notes.is_empty() {
        about["image_notes"] = json!(notes);
    }
    about
}

/// Forwards events until the last one or until the client is gone.
async fn stream(
    mut answers: Answers,
    sender: Sender<Result<sse::Event, Infallible>>,
    deadline: Instant,
) {
    loop {
        let event = tokio::select! {
            event = timeout_at(deadline, answers.0.recv()) => event,
            // Dropping the answers cancels the questions.
            () = sender.closed() => return,
        };
        let (name, data, last) = match event {
            Ok(Some(Event::Image {
                id,
                size,
                notes,
                time,
            })) => {
                let mut data = about_photo(&id, size, &notes);
                if let Some(time) = time {
                    data["timings_ms"] = json!({ "vision": milliseconds(time) });
                }
                ("image", data, false)
            }
            Ok(Some(Event::Answer(answer))) => ("answer", json!(answer), false),
            Ok(Some(Event::Failed { index, error })) => {
                let mut data = json!(ApiError::from(error).body());
                data["index"] = json!(index);
                ("failed", data, index.is_none())
            }
            Ok(Some(Event::Done)) => ("done", json!({}), true),
            Ok(None) => ("failed", json!(ApiError::internal().body()), true),
            Err(_) => ("failed", json!(ApiError::deadline_exceeded().body()), true),
        };
        let event = sse::Event::default().event(name).data(data.to_string());
        // The deadline holds for slow readers too.
        let sent = timeout_at(deadline, sender.send(Ok(event))).await;
        if !matches!(sent, Ok(Ok(()))) || last {
            return;
        }
    }
}
