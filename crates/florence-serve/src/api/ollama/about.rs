//! `GET /api/tags`, `POST /api/show`, `GET /api/version`: the names of the model and what it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use florence_tasks::Precision;
use serde_json::{Value, json};

use super::request;
use super::timestamp::rfc3339;
use crate::api::App;
use crate::api::chat::Served;
use crate::api::incoming::{self, Incoming};
use crate::error::ApiError;

/// The version of Ollama whose API this is; clients compare it.
const VERSION: &str = "0.12.0";

pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": VERSION }))
}

pub(super) async fn tags(State(app): State<Arc<App>>) -> Json<Value> {
    let models = Served::all(&app).map(|model| {
        let name = model.with_tag();
        json!({
            "name": name,
            "model": name,
            "modified_at": rfc3339(app.started),
            "size": size(&app),
            "digest": digest(&name),
            "details": details(&app),
        })
    });
    Json(json!({ "models": models.collect::<Vec<_>>() }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (_, request) = Incoming::receive(&app, request).await?;
    let model = request::model(&incoming::bytes(request).await?)?;
    Served::find(&app, &model)?;
    let config = app.florence.model().config();
    Ok(Json(json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "license": "",
        "modified_at": rfc3339(app.started),
        "details": details(&app),
        "model_info": {
            "general.architecture": "florence2",
            "general.parameter_count": app.florence.model().parameter_count(),
            "florence2.context_length": config.text.max_position_embeddings,
        },
        "capabilities": ["completion", "vision"],
    })))
}

fn details(app: &App) -> Value {
    let model = app.florence.model();
    json!({
        "parent_model": "",
        "format": "safetensors",
        "family": "florence2",
        "families": ["florence2"],
        "parameter_size": millions(model.parameter_count()),
        "quantization_level": model.precision().to_string().to_uppercase(),
    })
}

fn millions(count: usize) -> String {
    format!("{:.1}M", count as f64 / 1e6)
}

/// Bytes of the parameters at the model's precision.
fn size(app: &App) -> usize {
    let bytes = match app.florence.model().precision() {
        Precision::F16 | Precision::BF16 => 2,
        Precision::Q8_0 => 1,
        _ => 4,
    };
    app.florence.model().parameter_count() * bytes
}

/// A number of 64 hex digits for each name, since clients take models of one digest for one. It is
/// FNV-1a of the name from four starts, not a checksum of the weights.
fn digest(name: &str) -> String {
    let hash = |start: u64| {
        name.bytes()
            .fold(0xcbf2_9ce4_8422_2325 ^ start, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    };
    (0..4)
        .map(|start| format!("{:016x}", hash(start)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_digest_of_its_own() {
        let (one, other) = (digest("florence-nano:od"), digest("florence-nano:ocr"));
        assert_eq!((one.len(), other.len()), (64, 64));
        assert_ne!(one, other);
        assert_ne!(one[..12], other[..12], "what `ollama list` shows");
    }
}
