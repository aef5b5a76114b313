//! Reads request bodies under time and memory limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;

use crate::error::ApiError;
use crate::limits::Limits;

#[derive(Debug)]
pub(crate) struct Uploads {
    /// The memory budget: a permit per byte.
    budget: Arc<Semaphore>,
    max_bytes: usize,
    upload_time: Duration,
    stall_time: Duration,
}

impl Uploads {
    pub(crate) fn new(limits: &Limits) -> Self {
        let budget = limits.upload_bytes.max(limits.max_bytes);
        Self {
            budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))),
            max_bytes: limits.max_bytes,
            upload_time: limits.upload_time,
            stall_time: limits.stall_time,
        }
    }

    /// The request with its whole body, and the body's share of the memory budget until dropped.
    ///
    /// # Errors
    ///
    /// When the body is too large, too slow or cut off, or the memory budget is used up.
    pub(crate) async fn receive(
        &self,
        request: Request,
    ) -> Result<(Request, Option<OwnedSemaphorePermit>), ApiError> {
        let (head, body) = request.into_parts();
        if body.size_hint().lower() > self.max_bytes as u64 {
            return Err(ApiError::too_large(self.max_bytes));
        }
        let deadline = Instant::now() + self.upload_time;
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut held: Option<OwnedSemaphorePermit> = None;
        loop {
            let until = deadline.min(Instant::now() + self.stall_time);
            let chunk = timeout_at(until, chunks.next()).await;
            let Some(chunk) = chunk.map_err(|_| ApiError::request_timeout())? else {
                return Ok((Request::from_parts(head, Body::from(bytes)), held));
            };
            let chunk = chunk.map_err(|error| {
                ApiError::bad_request(format_args!("the request body was cut off: {error}"))
            })?;
            if bytes.len() + chunk.len() > self.max_bytes {
                return Err(ApiError::too_large(self.max_bytes));
            }
            let more = self.reserve(chunk.len())?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let permits = u32::try_from(bytes).ok();
        permits
            .and_then(|permits| self.budget.clone().try_acquire_many_owned(permits).ok())
            .ok_or_else(ApiError::overloaded)
    }
}
