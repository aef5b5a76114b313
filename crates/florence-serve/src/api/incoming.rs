//! A request from its head to its place in the queue.

use axum::extract::Request;
use florence_tasks::AnyTask;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::body::{Body, Expected, Upload};
use crate::engine::{Answers, Photo, RequestTimer, is_id};
use crate::error::ApiError;

/// A request whose body has arrived.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) body: Body,
    /// The body's share of the memory budget.
    memory: Option<OwnedSemaphorePermit>,
    start: Instant,
    pub(super) deadline: Instant,
}

impl Incoming {
    pub(super) async fn receive(
        app: &App,
        request: Request,
        expected: Expected,
    ) -> Result<Self, ApiError> {
        let start = Instant::now();
        app.engine.admit()?;
        let (request, memory) = app.uploads.receive(request).await?;
        let deadline = Instant::now() + app.limits.request_time;
        Ok(Self {
            body: Body::read(request, expected).await?,
            memory,
            start,
            deadline,
        })
    }

    /// Decodes the photo and queues the request.
    pub(super) async fn submit(
        self,
        app: &App,
        questions: Vec<AnyTask>,
        one_by_one: bool,
    ) -> Result<Answers, ApiError> {
        let slot = app.engine.reserve()?;
        let upright = self.body.exif_orientation;
        let photo = match self.body.photo {
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
        let options = self.body.options;
        Ok(app
            .engine
            .submit(slot, photo, questions, options, one_by_one, timer)?)
    }
}
