//! Threads: everything runs in the rayon pool of the caller, see
//! [`Florence2`](crate::Florence2#threads).

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Runs `work` on a thread of the current pool. Parallel loops started from outside put the calling
/// thread to sleep and wake it up again, each.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Number of answers being generated in this process.
static GENERATIONS: AtomicUsize = AtomicUsize::new(0);

/// The last time when there were several, in milliseconds of [`now`].
static SHARED: AtomicU64 = AtomicU64::new(0);

/// For so long after that, the next is expected.
const QUIET: Duration = Duration::from_millis(200);

/// Milliseconds since the first call, plus [`QUIET`].
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    (START.get_or_init(Instant::now).elapsed() + QUIET).as_millis() as u64
}

/// Whether a single answer is being generated, with no other a moment ago.
fn alone() -> bool {
    let quiet = now().saturating_sub(SHARED.load(Ordering::Relaxed));
    GENERATIONS.load(Ordering::Relaxed) == 1 && quiet >= QUIET.as_millis() as u64
}

/// Counts an answer that is being generated, until dropped.
pub(crate) struct Generating(());

impl Generating {
    pub(crate) fn begin() -> Self {
        if GENERATIONS.fetch_add(1, Ordering::Relaxed) > 0 {
            SHARED.store(now(), Ordering::Relaxed);
        }
        Self(())
    }
}

impl Drop for Generating {
    fn drop(&mut self) {
        if GENERATIONS.fetch_sub(1, Ordering::Relaxed) > 1 {
            SHARED.store(now(), Ordering::Relaxed);
        }
    }
}

/// Busy-waiting: keeps the pool's idle threads spinning for work. A step of a decoder is some forty
/// loops of a tenth of a millisecond; a thread that fell asleep between two of them wakes too late
/// for its half of the next.
///
/// Only for a single answer. A thread that waits here takes any work there is, and with several
/// answers that would be a whole other one, which the first then waits for: so with several, none
/// busy-waits, and threads sleep and wake as rayon has it.
pub(crate) struct BusyWait(Option<Arc<Waiting>>);

#[derive(Default)]
struct Waiting {
    over: AtomicBool,
    threads: AtomicUsize,
}

impl BusyWait {
    /// Lasts until the result is dropped; `wanted` may switch it off.
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(Arc::default))
    }

    /// To be called before every step: resumes busy-waiting where another answer had ended it.
    pub(crate) fn renew(&self) {
        let Some(waiting) = &self.0 else { return };
        if !alone() || waiting.threads.load(Ordering::Relaxed) > 0 {
            return;
        }
        for _ in 1..rayon::current_num_threads() {
            let waiting = Arc::clone(waiting);
            waiting.threads.fetch_add(1, Ordering::Relaxed);
            rayon::spawn(move || {
                while alone() && !waiting.over.load(Ordering::Relaxed) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        // Yields the core to other threads.
                        std::thread::yield_now();
                    }
                }
                waiting.threads.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

impl Drop for BusyWait {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0 {
            waiting.over.store(true, Ordering::Relaxed);
        }
    }
}
