//! Threads: everything runs in the rayon pool of the caller, see
//! [`Florence2`](crate::Florence2#threads).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs `work` on a thread of the current pool. Parallel loops that are started
/// from outside put the calling thread to sleep and wake it up again, each.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Keeps the pool's idle threads looking for work. A step of a decoder is some
/// forty loops of a tenth of a millisecond; a thread that fell asleep between
/// two of them comes too late for its half of the next.
pub(crate) struct SpinGuard(Arc<AtomicBool>);

impl SpinGuard {
    /// Until the result is dropped.
    pub(crate) fn while_alive() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 1..rayon::current_num_threads() {
            let over = Arc::clone(&over);
            rayon::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        // Whoever else wants this core may have it.
                        std::thread::yield_now();
                    }
                }
            });
        }
        Self(over)
    }
}

impl Drop for SpinGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
