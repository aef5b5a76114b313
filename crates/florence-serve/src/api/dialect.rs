//! The form of errors, by the API that was called.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::{ollama, openai};
use crate::error::ApiError;

/// Whose API a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Own,
    OpenAi,
    Ollama,
}

impl Dialect {
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/api/") {
            Self::Ollama
        } else if path.starts_with("/v1/chat/") || path.starts_with("/v1/models") {
            Self::OpenAi
        } else {
            Self::Own
        }
    }

    /// The response; an error in the form of this API.
    pub(super) fn speak(self, mut response: Response) -> Response {
        let Some(error) = response.extensions_mut().remove::<ApiError>() else {
            return response;
        };
        let (status, body) = match self {
            Self::Own => return response,
            Self::OpenAi => openai::error_body(&error),
            Self::Ollama => ollama::error_body(&error),
        };
        let body = body.to_string();
        *response.status_mut() = status;
        let length = HeaderValue::from(body.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        *response.body_mut() = Body::from(body);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_the_api() {
        for (path, dialect) in [
            ("/api/chat", Dialect::Ollama),
            ("/api/pull", Dialect::Ollama),
            ("/v1/chat/completions", Dialect::OpenAi),
            ("/v1/models", Dialect::OpenAi),
            ("/v1/models/x", Dialect::OpenAi),
            ("/v1/run", Dialect::Own),
            ("/apis", Dialect::Own),
            ("/", Dialect::Own),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
    }
}
