//! Endpoints about the server: tasks, samples, health, metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use florence_tasks::{CascadeName, Task};
use serde_json::{Value, json};

use super::App;
use crate::error::ApiError;
use crate::page;
use crate::question::{cascade_title, input, title};

/// `GET /v1/tasks`
pub(super) async fn tasks(State(app): State<Arc<App>>) -> Json<Value> {
    let tasks = Task::ALL.iter().copied().map(|task| {
        json!({
            "name": task.name(),
            "marker": task.as_str(),
            "input": input(task.input()),
            "form": task.form(),
            "title": title(task),
        })
    });
    let cascades = CascadeName::ALL.iter().copied().map(|cascade| {
        json!({
            "name": cascade.name(),
            "title": cascade_title(cascade),
            "input": input(cascade.input()),
        })
    });
    let mut model = json!({
        "name": app.model,
        "device": app.florence.model().device().to_string(),
        "precision": app.florence.model().precision().to_string(),
    });
    if let Some(note) = &app.note {
        model["note"] = json!(note);
    }
    Json(json!({
        "model": model,
        "limits": {
            "max_bytes": app.limits.max_bytes,
            "max_pixels": app.limits.max_pixels,
            "max_questions": app.limits.max_questions,
            "max_text": app.limits.max_text,
            "max_beams": app.limits.max_beams,
            "max_new_tokens": app.limits.max_new_tokens,
        },
        "tasks": tasks.collect::<Vec<_>>(),
        "cascades": cascades.collect::<Vec<_>>(),
    }))
}

/// `GET /v1/samples`
pub(super) async fn samples() -> Json<Value> {
    let samples = page::samples().map(|file| {
        let name = file.rsplit_once('.').map_or(file, |(name, _)| name);
        let title = name.replace('-', " ");
        json!({ "name": name, "title": title, "url": format!("/samples/{file}") })
    });
    Json(json!({ "samples": samples.collect::<Vec<_>>() }))
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("../../openapi.json"))
}

/// `GET /healthz`
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    if app.engine.is_open() {
        let model = app.florence.model();
        Ok(Json(json!({
            "status": "ok",
            "device": model.device().to_string(),
            "precision": model.precision().to_string(),
        })))
    } else {
        Err(ApiError::shutting_down())
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.metrics.text(app.engine.waiting());
    ([(header::CONTENT_TYPE, kind)], text)
}
