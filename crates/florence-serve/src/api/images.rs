//! `POST /v1/images`: encodes a photo for later questions by its id.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde_json::Value;

use super::App;
use super::body::Expected;
use super::incoming::Incoming;
use super::run::collect;
use crate::error::ApiError;

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let incoming = Incoming::receive(&app, request, Expected::PhotoOnly).await?;
    let deadline = incoming.deadline;
    let answers = incoming.submit(&app, Vec::new(), false).await?;
    let (about, _) = collect(answers, deadline).await?;
    Ok(Json(about))
}
