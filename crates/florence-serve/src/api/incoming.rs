//! A request from its head to its place in the queue.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use florence_tasks::AnyTask;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::steps::Steps;
use crate::engine::{Options, Photo, RequestTimer, is_id};
use crate::error::ApiError;

/// A request whose body has arrived.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The body's share of the memory budget.
    memory: Option<OwnedSemaphorePermit>,
    /// When its head arrived.
    pub(super) start: Instant,
    deadline: Instant,
}

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) photo: Upload,
    /// Whether to apply the EXIF orientation.
    pub(super) exif_orientation: Option<bool>,
    pub(super) questions: Vec<AnyTask>,
    pub(super) options: Options,
    /// Whether answers are streamed, so that each should come as soon as possible.
    pub(super) one_by_one: bool,
}

#[derive(Debug)]
pub(super) enum Upload {
    File(Vec<u8>),
    Id(String),
}

impl Incoming {
    /// The request with its whole body.
    pub(super) async fn receive(app: &App, request: Request) -> Result<(Self, Request), ApiError> {
        let start = Instant::now();
        app.engine.admit()?;
        let (request, memory) = app.uploads.receive(request).await?;
        let deadline = Instant::now() + app.limits.request_time;
        let incoming = Self {
            memory,
            start,
            deadline,
        };
        Ok((incoming, request))
    }

    /// Decodes the photo and queues the request.
    pub(super) async fn submit(self, app: &App, asked: Asked) -> Result<Steps, ApiError> {
        let slot = app.engine.reserve()?;
        // Nothing is decoded for who is out of time.
        if Instant::now() >= self.deadline {
            return Err(ApiError::deadline_exceeded());
        }
        let upright = asked.exif_orientation;
        let photo = match asked.photo {
            Upload::Id(id) if is_id(&id) => Photo::Cached { id, upright },
            Upload::Id(id) => return Err(ApiError::unknown_image(&id)),
            Upload::File(bytes) => {
                let upright = upright.unwrap_or_default();
                let prepared = timeout_at(self.deadline, app.photos.prepare(bytes, upright)).await;
                let prepared = prepared.map_err(|_| ApiError::deadline_exceeded())??;
                Photo::New { prepared, upright }
            }
        };
        drop(self.memory);
        let (start, deadline) = (self.start.into_std(), self.deadline.into_std());
        let timer = RequestTimer::new(start, deadline, app.metrics.clone());
        let answers = app.engine.submit(
            slot,
            photo,
            asked.questions,
            asked.options,
            asked.one_by_one,
            timer,
        )?;
        Ok(Steps::new(answers, self.deadline))
    }
}

/// The bytes of a body that has arrived.
pub(super) async fn bytes(request: Request) -> Result<Bytes, ApiError> {
    let bytes = Bytes::from_request(request, &()).await;
    bytes.map_err(|rejection| ApiError::bad_request(rejection.body_text()))
}
