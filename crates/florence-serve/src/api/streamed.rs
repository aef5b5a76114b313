//! Responses that are sent while the answer is made.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio_stream::wrappers::ReceiverStream;

/// Keeps proxies from buffering a stream.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Server-sent events.
pub(super) fn events(events: ReceiverStream<Result<sse::Event, Infallible>>) -> Response {
    let events = Sse::new(events).keep_alive(KeepAlive::default());
    ([UNBUFFERED], events).into_response()
}

/// Lines of JSON.
pub(super) fn lines(lines: ReceiverStream<Result<Bytes, Infallible>>) -> Response {
    let kind = (header::CONTENT_TYPE.as_str(), "application/x-ndjson");
    ([kind, UNBUFFERED], Body::from_stream(lines)).into_response()
}
