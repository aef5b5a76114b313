//! `POST /v1/images`: encodes a photo for later questions by its id.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde_json::Value;

use super::App;
use super::body::{Body, Expected};
use super::incoming::{Asked, Incoming};
use super::run::collect;
use crate::error::ApiError;

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (incoming, request) = Incoming::receive(&app, request).await?;
    let body = Body::read(request, Expected::PhotoOnly).await?;
    let asked = Asked {
        photo: body.photo,
        exif_orientation: body.exif_orientation,
        questions: Vec::new(),
        options: body.options,
        one_by_one: false,
    };
    let (about, _) = collect(incoming.submit(&app, asked).await?).await?;
    Ok(Json(about))
}
