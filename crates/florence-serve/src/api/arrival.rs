//! A request from its head to its place in the queue.

use axum::extract::Request;
use florence_tasks::AnyTask;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::body::{Beside, Body, Upload};
use crate::engine::{Answers, Clock, Photo, is_name};
use crate::error::ApiError;

/// A request whose body is there.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) body: Body,
    /// What the body takes of the room for uploads.
    room: Option<OwnedSemaphorePermit>,
    start: Instant,
    pub(super) deadline: Instant,
}

impl Arrival {
    pub(super) async fn of(app: &App, request: Request, beside: Beside) -> Result<Self, ApiError> {
        let start = Instant::now();
        app.engine.admit()?;
        let (request, room) = app.uploads.receive(request).await?;
        let deadline = Instant::now() + app.limits.request_time;
        Ok(Self {
            body: Body::read(request, beside).await?,
            room,
            start,
            deadline,
        })
    }

    /// Unpacks the photo and puts the request into the queue.
    pub(super) async fn submit(
        self,
        app: &App,
        questions: Vec<AnyTask>,
        one_by_one: bool,
    ) -> Result<Answers, ApiError> {
        let slot = app.engine.reserve()?;
        let upright = self.body.exif_orientation;
        let photo = match self.body.photo {
            Upload::Known(id) if is_name(&id) => Photo::Known { id, upright },
            Upload::Known(id) => return Err(ApiError::unknown_image(&id)),
            Upload::File(bytes) => {
                let upright = upright.unwrap_or_default();
                let prepared = timeout_at(self.deadline, app.photos.prepare(bytes, upright)).await;
                let prepared = prepared.map_err(|_| ApiError::deadline_exceeded())??;
                Photo::New { prepared, upright }
            }
        };
        drop(self.room);
        let (start, deadline) = (self.start.into_std(), self.deadline.into_std());
        let clock = Clock::since(start, deadline, app.metrics.clone());
        let options = self.body.options;
        Ok(app
            .engine
            .submit(slot, photo, questions, options, one_by_one, clock)?)
    }
}
