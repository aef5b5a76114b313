//! Any bytes as the JSON body of a request, through the routes of the server but without a socket. The
//! first byte chooses the endpoint, the rest is the body.
//!
//! Requests have no time, so that the model is never asked: one that would be is refused with 504.

#![no_main]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use florence_serve::{Limits, Server};
use florence_tasks::Florence;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

const PATHS: [&str; 6] = [
    "/v1/run",
    "/v1/chat/completions",
    "/api/chat",
    "/api/generate",
    "/api/show",
    "/v1/images",
];

/// The statuses that `openapi.json` has for these endpoints, without those of the connection.
const STATUSES: [u16; 7] = [200, 400, 404, 413, 415, 422, 504];

static SERVER: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let limits = Limits::new()
        .max_bytes(1 << 16)
        .max_pixels(1 << 12)
        .request_time(Duration::ZERO);
    let server = Server::new(Florence::nano().unwrap(), "florence-nano", limits).unwrap();
    let router = server.router(SocketAddr::from(([127, 0, 0, 1], 8080)));
    (runtime, router)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    let request = Request::post(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_vec()))
        .unwrap();
    let (runtime, router) = &*SERVER;
    let (status, body) = runtime.block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (
            status,
            to_bytes(response.into_body(), 1 << 16).await.unwrap(),
        )
    });
    assert!(STATUSES.contains(&status), "{path}: {status}");
    let body: Value = serde_json::from_slice(&body).unwrap();
    // An error says what is wrong, in the form of the API that was called.
    let message = match (status, path.starts_with("/api/")) {
        (200, _) => return,
        (_, true) => &body["error"],
        (_, false) => &body["error"]["message"],
    };
    let message = message.as_str().unwrap();
    assert!(!message.is_empty() && message.chars().count() <= 1_001);
});
