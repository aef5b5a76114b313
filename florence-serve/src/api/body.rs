//! The two forms of a request's body: multipart, and JSON with the photo in base64.

use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::brief::Quoted;
use crate::error::ApiError;
use crate::question::{Asked, Options};

/// What a request is about, and what it asks.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) photo: Upload,
    pub(super) questions: Vec<Asked>,
    pub(super) options: Options,
}

#[derive(Debug)]
pub(super) enum Upload {
    File(Vec<u8>),
    Known(String),
}

/// The questions in a multipart body's field `request`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions {
    questions: Vec<Asked>,
    #[serde(default)]
    options: Options,
}

/// A body that is JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    image: Option<String>,
    image_id: Option<String>,
    questions: Vec<Asked>,
    #[serde(default)]
    options: Options,
}

impl Body {
    pub(super) async fn read(request: Request) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "multipart/form-data" => Self::multipart(request).await,
            "application/json" => Self::json(request).await,
            other => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_body",
                format_args!(
                    "a body of type {}: expected multipart/form-data or application/json",
                    Quoted(other)
                ),
            )),
        }
    }

    async fn json(request: Request) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, &()).await;
        let bytes = bytes.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
        let whole: Whole = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::bad_request(format_args!("the JSON body: {error}")))?;
        let file = whole.image.map(|image| {
            // As browsers give it, with the type in front.
            let image = image.strip_prefix("data:").map_or(image.as_str(), |data| {
                data.split_once(',').map_or("", |(_, data)| data)
            });
            BASE64_STANDARD
                .decode(image)
                .map_err(|error| ApiError::bad_request(format_args!("image is no base64: {error}")))
        });
        Ok(Self {
            photo: upload(file.transpose()?, whole.image_id)?,
            questions: whole.questions,
            options: whole.options,
        })
    }

    async fn multipart(request: Request) -> Result<Self, ApiError> {
        let refused = |error: MultipartError| {
            ApiError::bad_request(format_args!("the multipart body: {}", error.body_text()))
        };
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
        let (mut file, mut id, mut questions) = (None, None, None);
        while let Some(part) = parts.next_field().await.map_err(refused)? {
            match part.name().unwrap_or_default() {
                "image" => once(&mut file, "image", bytes(part).await.map_err(refused)?)?,
                "image_id" => once(&mut id, "image_id", part.text().await.map_err(refused)?)?,
                "request" => {
                    let text = part.bytes().await.map_err(refused)?;
                    let read: Questions = serde_json::from_slice(&text).map_err(|error| {
                        ApiError::bad_request(format_args!("the field request: {error}"))
                    })?;
                    once(&mut questions, "request", read)?;
                }
                other => {
                    return Err(ApiError::bad_request(format_args!(
                        "the field {}: expected image or image_id, and request",
                        Quoted(other)
                    )));
                }
            }
        }
        let missing = || {
            ApiError::bad_request(
                "the field request is missing: expected {\"questions\": [{\"task\": \"od\"}]}",
            )
        };
        let Questions { questions, options } = questions.ok_or_else(missing)?;
        Ok(Self {
            photo: upload(file, id)?,
            questions,
            options,
        })
    }
}

async fn bytes(part: Field<'_>) -> Result<Vec<u8>, MultipartError> {
    Ok(part.bytes().await?.into())
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), ApiError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ApiError::bad_request(format_args!("two fields {name}"))),
    }
}

fn upload(file: Option<Vec<u8>>, id: Option<String>) -> Result<Upload, ApiError> {
    match (file, id) {
        (Some(file), None) => Ok(Upload::File(file)),
        (None, Some(id)) => Ok(Upload::Known(id)),
        (None, None) => Err(ApiError::bad_request(
            "no photo: expected image (a file) or image_id (of an earlier answer)",
        )),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "two photos: expected image (a file) or image_id (of an earlier answer), not both",
        )),
    }
}
