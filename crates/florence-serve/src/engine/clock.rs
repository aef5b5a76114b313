//! How long a request takes and may take, and how it ends.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::Metrics;

/// Runs until it is dropped, whatever the reason.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    deadline: Instant,
    metrics: Arc<Metrics>,
    /// Without a word from anybody, as after a panic, the request has failed.
    pub(super) result: &'static str,
}

impl Clock {
    pub(crate) fn since(start: Instant, deadline: Instant, metrics: Arc<Metrics>) -> Self {
        Self {
            start,
            deadline,
            metrics,
            result: "failed",
        }
    }

    /// Whether the request is out of time.
    pub(super) fn has_run_out(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.metrics
            .request_ended(self.result, self.start.elapsed());
    }
}
