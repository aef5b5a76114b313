//! Duration, deadline and result of a request, for metrics.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::Metrics;

/// Records duration and result when it is dropped.
#[derive(Debug)]
pub(crate) struct RequestTimer {
    start: Instant,
    deadline: Instant,
    metrics: Arc<Metrics>,
    /// "failed" until set, as after a panic.
    pub(super) result: &'static str,
}

impl RequestTimer {
    pub(crate) fn new(start: Instant, deadline: Instant, metrics: Arc<Metrics>) -> Self {
        Self {
            start,
            deadline,
            metrics,
            result: "failed",
        }
    }

    /// Whether the deadline has passed.
    pub(super) fn is_expired(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

impl Drop for RequestTimer {
    fn drop(&mut self) {
        self.metrics
            .request_ended(self.result, self.start.elapsed());
    }
}
