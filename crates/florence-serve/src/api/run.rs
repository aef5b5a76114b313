//! `POST /v1/run`: questions about a photo.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response, sse};
use florence_core::image::ImageNote;
use florence_tasks::{AnyTask, Size};
use serde_json::{Value, json};

use super::App;
use super::body::{Body, Expected};
use super::incoming::{Asked, Incoming};
use super::steps::Steps;
use super::streamed::events;
use crate::engine::{Event, milliseconds};
use crate::error::ApiError;

pub(super) async fn run(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let streams = wants_stream(&request);
    let (incoming, request) = Incoming::receive(&app, request).await?;
    let body = Body::read(request, Expected::Questions).await?;
    let asked = Asked {
        questions: questions(&app, &body)?,
        photo: body.photo,
        exif_orientation: body.exif_orientation,
        options: body.options,
        one_by_one: streams,
    };
    let steps = incoming.submit(&app, asked).await?;
    if streams {
        Ok(events(steps.stream(|event| vec![named(event)])))
    } else {
        let (mut whole, answers) = collect(steps).await?;
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
pub(super) async fn collect(mut steps: Steps) -> Result<(Value, Vec<Value>), ApiError> {
    let mut about = Value::Null;
    let mut values = Vec::new();
    loop {
        match steps.next().await {
            Event::Image {
                id, size, notes, ..
            } => about = about_photo(&id, size, &notes),
            Event::Answer(answer) => values.push((answer.index, json!(answer))),
            Event::Failed {
                index: Some(index),
                error,
            } => {
                let mut value = json!(ApiError::from(error).body());
                value["index"] = index.into();
                values.push((index, value));
            }
            Event::Failed { index: None, error } => return Err(error.into()),
            Event::Done => break,
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

/// An event with its name and data.
fn named(event: Event) -> sse::Event {
    let (name, data) = match event {
        Event::Image {
            id,
            size,
            notes,
            time,
        } => {
            let mut data = about_photo(&id, size, &notes);
            if let Some(time) = time {
                data["timings_ms"] = json!({ "vision": milliseconds(time) });
            }
            ("image", data)
        }
        Event::Answer(answer) => ("answer", json!(answer)),
        Event::Failed { index, error } => {
            let mut data = json!(ApiError::from(error).body());
            data["index"] = json!(index);
            ("failed", data)
        }
        Event::Done => ("done", json!({})),
    };
    sse::Event::default().event(name).data(data.to_string())
}
