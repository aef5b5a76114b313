//! Parses request bodies: multipart, or JSON with the photo in base64.

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::Deserialize;

use super::base64;
use super::incoming::{self, Upload};
use crate::engine::Options;
use crate::error::ApiError;
use crate::question::Question;
use crate::truncate::Quoted;

/// A parsed request body.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) photo: Upload,
    /// Whether to apply the EXIF orientation.
    pub(super) exif_orientation: Option<bool>,
    pub(super) questions: Vec<Question>,
    pub(super) options: Options,
}

/// What a body has to hold besides its photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Questions,
    PhotoOnly,
}

impl Expected {
    fn check(
        self,
        questions: Option<Vec<Question>>,
        options: Option<Options>,
    ) -> Result<(Vec<Question>, Options), ApiError> {
        match (self, questions) {
            (Self::Questions, Some(questions)) => Ok((questions, options.unwrap_or_default())),
            (Self::Questions, None) => Err(ApiError::bad_request(
                "missing field `questions` (in a form, the field request is missing or lacks \
                 it): expected {\"questions\": [{\"task\": \"od\"}]}",
            )),
            (Self::PhotoOnly, None) if options.is_none() => Ok(Default::default()),
            (Self::PhotoOnly, _) => Err(ApiError::bad_request(
                "/v1/images accepts neither questions nor options: /v1/run does",
            )),
        }
    }
}

/// The field `request` of a multipart body.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    questions: Option<Vec<Question>>,
    options: Option<Options>,
    exif_orientation: Option<bool>,
}

/// A JSON body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    image: Option<String>,
    image_id: Option<String>,
    questions: Option<Vec<Question>>,
    options: Option<Options>,
    exif_orientation: Option<bool>,
}

impl Body {
    pub(super) async fn read(request: Request, expected: Expected) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "multipart/form-data" => Self::multipart(request, expected).await,
            "application/json" => Self::json(request, expected).await,
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

    async fn json(request: Request, expected: Expected) -> Result<Self, ApiError> {
        let bytes = incoming::bytes(request).await?;
        let whole: Whole = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::bad_request(format_args!("the JSON body: {error}")))?;
        let (questions, options) = expected.check(whole.questions, whole.options)?;
        let file = whole.image.map(|image| base64::decode("image", &image));
        Ok(Self {
            photo: upload(file.transpose()?, whole.image_id)?,
            exif_orientation: whole.exif_orientation,
            questions,
            options,
        })
    }

    async fn multipart(request: Request, expected: Expected) -> Result<Self, ApiError> {
        let refused = |error: MultipartError| {
            ApiError::bad_request(format_args!("the multipart body: {}", error.body_text()))
        };
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
        let (mut file, mut id, mut fields) = (None, None, None);
        while let Some(part) = parts.next_field().await.map_err(refused)? {
            match part.name().unwrap_or_default() {
                "image" => once(&mut file, "image", bytes(part).await.map_err(refused)?)?,
                "image_id" => once(&mut id, "image_id", part.text().await.map_err(refused)?)?,
                "request" => {
                    let text = part.bytes().await.map_err(refused)?;
                    let read: Fields = serde_json::from_slice(&text).map_err(|error| {
                        ApiError::bad_request(format_args!("the field request: {error}"))
                    })?;
                    once(&mut fields, "request", read)?;
                }
                other => {
                    return Err(ApiError::bad_request(format_args!(
                        "the field {}: expected image or image_id, and request",
                        Quoted(other)
                    )));
                }
            }
        }
        let fields = fields.unwrap_or_default();
        let (questions, options) = expected.check(fields.questions, fields.options)?;
        Ok(Self {
            photo: upload(file, id)?,
            exif_orientation: fields.exif_orientation,
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
        (None, Some(id)) => Ok(Upload::Id(id)),
        (None, None) => Err(ApiError::bad_request(
            "no photo: expected image (a file) or image_id (of an earlier answer)",
        )),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "two photos: expected image (a file) or image_id (of an earlier answer), not both",
        )),
    }
}
