//! Errors in OpenAI's form.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::error::ApiError;

/// The status and `{"error": {"message", "type", "param", "code"}}`. OpenAI has one status for all
/// requests that cannot be answered as they are.
pub(in crate::api) fn body(error: &ApiError) -> (StatusCode, Value) {
    let status = match error.status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            StatusCode::BAD_REQUEST
        }
        other => other,
    };
    let kind = match status.is_server_error() {
        true => "server_error",
        false => "invalid_request_error",
    };
    let body = json!({
        "error": {
            "message": error.message,
            "type": kind,
            "param": error.param,
            "code": error.code,
        },
    });
    (status, body)
}
