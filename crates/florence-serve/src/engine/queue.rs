//! The queue of requests.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::job::Job;

#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Job>,
    /// Jobs of the current batch.
    in_turn: usize,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; `false` if the queue is closed.
    pub(crate) fn push(&self, job: Job) -> bool {
        let mut inner = self.lock();
        if !inner.closed {
            inner.waiting.push_back(job);
            self.changed.notify_one();
        }
        !inner.closed
    }

    /// Puts a job of the current batch at the end, even if the queue is closed.
    pub(crate) fn put_back(&self, job: Job) {
        self.lock().waiting.push_back(job);
    }

    /// The jobs of the next batch: the first, and others with the same options, up to `batch` in all,
    /// at most one of them at a cascade. Blocks until there is one; `None` once closed and empty.
    pub(crate) fn turn(&self, batch: usize) -> Option<Vec<Job>> {
        let mut inner = self.lock();
        loop {
            if let Some(first) = inner.waiting.pop_front() {
                let mut cascade = first.is_at_cascade();
                let mut turn = vec![first];
                let mut at = 0;
                while turn.len() < batch && at < inner.waiting.len() {
                    let next = &inner.waiting[at];
                    if next.options == turn[0].options && !(cascade && next.is_at_cascade()) {
                        cascade |= next.is_at_cascade();
                        turn.extend(inner.waiting.remove(at));
                    } else {
                        at += 1;
                    }
                }
                inner.in_turn = turn.len();
                return Some(turn);
            }
            if inner.closed {
                return None;
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn turn_is_over(&self) {
        self.lock().in_turn = 0;
    }

    /// Closes the queue to new jobs.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Jobs queued or in the current batch.
    pub(crate) fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.in_turn
    }
}
