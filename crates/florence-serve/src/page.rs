//! The web page, embedded in the program.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, File, include_dir};

use crate::error::ApiError;
use crate::truncate::Quoted;

static PAGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/page");
static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/samples");

/// Content security policy: no other origins, nothing inline, since labels come from photos.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The methods allowed on files.
const METHODS: (HeaderName, HeaderValue) = (header::ALLOW, HeaderValue::from_static("GET,HEAD"));

/// Serves a file of the page; any other path without a route is 404, whatever the method.
pub(crate) async fn file(method: Method, uri: Uri) -> Response {
    let Some(file) = named(uri.path()) else {
        let path = Quoted(uri.path());
        let message = format_args!("there is nothing at {path}");
        return ApiError::new(StatusCode::NOT_FOUND, "not_found", message).into_response();
    };
    match method {
        Method::GET | Method::HEAD => contents(file),
        Method::OPTIONS => (StatusCode::NO_CONTENT, [METHODS]).into_response(),
        _ => ([METHODS], ApiError::wrong_method()).into_response(),
    }
}

/// The file with exactly this path: no normalization of `//`, `.` or `..`.
fn named(path: &str) -> Option<&'static File<'static>> {
    let path = path.strip_prefix('/')?;
    let (folder, name) = match path.strip_prefix("samples/") {
        Some(name) => (&SAMPLES, name),
        None if path.is_empty() => (&PAGE, "index.html"),
        None => (&PAGE, path),
    };
    let file = folder.get_file(name)?;
    (file.path().to_str() == Some(name)).then_some(file)
}

fn contents(file: &'static File<'static>) -> Response {
    let extension = file.path().extension().and_then(|e| e.to_str());
    let kind = match extension.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        _ => "application/octet-stream",
    };
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (
        headers.map(|(name, value)| (name, HeaderValue::from_static(value))),
        file.contents(),
    )
        .into_response()
}

/// The names of the sample photos, in order.
pub(crate) fn samples() -> impl Iterator<Item = &'static str> {
    let names = SAMPLES.files().filter_map(|file| file.path().to_str());
    names.filter(|name| name.ends_with(".png") || name.ends_with(".jpg"))
}
