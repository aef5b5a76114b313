//! API errors: HTTP status, code and message.

use std::fmt::Display;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::engine::EngineError;
use crate::truncate::{Quoted, truncated};

/// An HTTP status, a code for programs and a message for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The field of the request that is wrong, where one is known.
    pub(crate) param: Option<&'static str>,
}

/// `{"error": {"code", "message"}}`
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Debug, Serialize)]
struct Inner<'a> {
    code: &'static str,
    message: &'a str,
}

/// `Retry-After` in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Display) -> Self {
        Self {
            status,
            code,
            message: truncated(message),
            param: None,
        }
    }

    /// Names the field of the request that is wrong.
    pub(crate) fn in_field(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
        }
    }

    /// The request does not follow the API.
    pub(crate) fn bad_request(message: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// The request is well formed, but a question or an option is invalid.
    pub(crate) fn invalid_question(message: impl Display) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_question",
            message,
        )
    }

    pub(crate) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "wrong_method",
            "method not allowed at this address: see /openapi.json",
        )
    }

    pub(crate) fn too_large(max_bytes: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format_args!("the request is larger than {max_bytes} bytes: send a smaller photo"),
        )
    }

    pub(crate) fn request_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the request body did not arrive in time: send it faster or send a smaller photo",
        )
    }

    pub(crate) fn unsupported_image(message: impl Display) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_image",
            message,
        )
    }

    pub(crate) fn unknown_image(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_image",
            format_args!(
                "image_id {} is not known or has expired: send the photo again",
                Quoted(id)
            ),
        )
    }

    /// A cached image is to be used with the other setting of `exif_orientation`.
    pub(crate) fn other_orientation(upright: bool) -> Self {
        Self::invalid_question(format_args!(
            "exif_orientation is {}, but was {upright} when the photo was sent: leave it out with this \
             image_id, or send the photo again",
            !upright
        ))
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "too many requests: try again in a few seconds",
        )
    }

    pub(crate) fn shutting_down() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "shutting_down",
            "the server is shutting down: try again later",
        )
    }

    pub(crate) fn deadline_exceeded() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "deadline_exceeded",
            "the request timed out: ask fewer questions at once, or for fewer tokens",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "internal server error: the question could not be answered",
        )
    }

    pub(crate) fn body(&self) -> Body<'_> {
        Body {
            error: Inner {
                code: self.code,
                message: &self.message,
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        // For APIs whose errors have another form.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Overloaded => Self::overloaded(),
            EngineError::ShuttingDown => Self::shutting_down(),
            EngineError::DeadlineExceeded => Self::deadline_exceeded(),
            EngineError::UnknownImage(id) => Self::unknown_image(&id),
            EngineError::OtherOrientation { upright } => Self::other_orientation(upright),
            EngineError::Failed | EngineError::Random(_) => Self::internal(),
            EngineError::Model(error) => error.into(),
        }
    }
}

impl From<florence_tasks::Error> for ApiError {
    fn from(error: florence_tasks::Error) -> Self {
        match error.kind() {
            florence_tasks::ErrorKind::Argument => Self::invalid_question(error),
            florence_tasks::ErrorKind::Image => Self::unsupported_image(error),
            _ => Self::internal(),
        }
    }
}
