//! `POST /v1/images`: a photo is seen, for questions by its name later.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde_json::Value;

use super::App;
use super::arrival::Arrival;
use super::body::Beside;
use super::run::collect;
use crate::error::ApiError;

pub(super) async fn see(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let arrival = Arrival::of(&app, request, Beside::Nothing).await?;
    let deadline = arrival.deadline;
    let answers = arrival.submit(&app, Vec::new(), false).await?;
    let (about, _) = collect(answers, deadline).await?;
    Ok(Json(about))
}
