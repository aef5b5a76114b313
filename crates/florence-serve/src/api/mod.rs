//! The routes.

mod about;
mod base64;
mod body;
mod chat;
mod dialect;
mod fields;
mod images;
mod incoming;
mod ollama;
mod openai;
mod run;
mod steps;
mod streamed;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use florence_tasks::Florence;

use self::dialect::Dialect;
use crate::engine::Engine;
use crate::error::ApiError;
use crate::hosts::Hosts;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::page;
use crate::photo::Photos;
use crate::upload::Uploads;

/// State that all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) florence: Florence,
    pub(crate) model: String,
    /// Other names of the model, for the APIs of OpenAI and Ollama.
    pub(crate) aliases: Vec<String>,
    pub(crate) started: SystemTime,
    /// A note about the model.
    pub(crate) note: Option<String>,
    pub(crate) engine: Engine,
    pub(crate) uploads: Uploads,
    pub(crate) photos: Photos,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
}

/// Routes of the API and the page, for requests to these hosts.
pub(crate) fn router(app: Arc<App>, hosts: Hosts) -> Router {
    let gate = Arc::new(Gate {
        app: app.clone(),
        hosts,
    });
    Router::new()
        .route("/v1/run", post(run::run))
        .route("/v1/images", post(images::upload))
        .route("/v1/tasks", get(about::tasks))
        .route("/v1/samples", get(about::samples))
        .route("/openapi.json", get(about::openapi))
        .route("/healthz", get(about::health))
        .route("/metrics", get(about::metrics))
        .merge(openai::routes())
        .merge(ollama::routes())
        .fallback(page::file)
        .method_not_allowed_fallback(other_method)
        // `Uploads` enforces the limits.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(gate, guard))
        .with_state(app)
}

/// Answers a method that a route does not support; the router adds `Allow`.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        ApiError::wrong_method().into_response()
    }
}

/// State of the middleware before all routes.
struct Gate {
    app: Arc<App>,
    hosts: Hosts,
}

/// Refuses hosts and origins that are not allowed, gives errors the form of the API that was called,
/// and counts requests.
async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("page", MatchedPath::as_str).to_owned();
    let dialect = Dialect::of(request.uri().path());
    let response = match gate.hosts.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let response = dialect.speak(response);
    let status = response.status().as_u16();
    gate.app.metrics.request(&route, status);
    response
}
