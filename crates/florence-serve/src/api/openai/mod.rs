//! OpenAI's API, as far as a model that answers one question about one photo can have it.

mod completions;
mod error;
mod models;
mod request;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::{get, post};

use super::App;

pub(super) use error::body as error_body;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/chat/completions", post(completions::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*model}", get(models::retrieve))
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}
