//! `GET /v1/models`: the names of the model.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::seconds;
use crate::api::App;
use crate::api::chat::Served;
use crate::error::ApiError;

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let models = Served::all(&app).map(|model| about(&app, &model));
    Json(json!({ "object": "list", "data": models.collect::<Vec<_>>() }))
}

/// `GET /v1/models/{model}`; the name may have slashes.
pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    Path(model): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(about(&app, &Served::find(&app, &model)?)))
}

fn about(app: &App, model: &Served<'_>) -> Value {
    json!({
        "id": model.id(),
        "object": "model",
        "created": seconds(app.started),
        "owned_by": "florence-serve",
    })
}
