//! Ollama's API, as far as a model that answers one question about one photo can have it.

mod about;
mod generate;
mod request;
mod timestamp;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::App;
use crate::error::ApiError;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/generate", post(generate::generate))
        .route("/api/chat", post(generate::chat))
        .route("/api/tags", get(about::tags))
        .route("/api/show", post(about::show))
        .route("/api/version", get(about::version))
}

/// The status and `{"error": "…"}`. Ollama has one status for all requests that cannot be answered as
/// they are.
pub(in crate::api) fn error_body(error: &ApiError) -> (StatusCode, Value) {
    let status = match error.status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            StatusCode::BAD_REQUEST
        }
        other => other,
    };
    (status, json!({ "error": error.message }))
}
