//! Progress on stderr.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use florence_datafusion::Counts;

/// A line that is renewed every second while there are answers, if stderr is a terminal.
pub(crate) struct Progress {
    start: Instant,
    before: u64,
    quiet: bool,
    /// The line, while it may be written.
    line: Option<(Arc<Mutex<()>>, tokio::task::JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn start(quiet: bool) -> Self {
        let (start, before) = (Instant::now(), Counts::now().rows);
        let line = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let lock = Arc::new(Mutex::new(()));
            let renewing = lock.clone();
            let task = tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    let rows = Counts::now().rows - before;
                    let _guard = renewing.lock().unwrap_or_else(PoisonError::into_inner);
                    if rows > 0 {
                        eprint!("\r\x1b[K{}", summary(rows, start.elapsed()));
                    }
                }
            });
            (lock, task)
        });
        Self {
            start,
            before,
            quiet,
            line,
        }
    }

    /// Prints something above the line.
    pub(crate) fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        let Some((lock, _)) = &self.line else {
            return print();
        };
        let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        eprint!("\r\x1b[K");
        // A terminal that is gone gets nothing.
        let _ = std::io::stderr().flush();
        print()
    }

    /// Replaces the line by a summary.
    pub(crate) fn finish(self) {
        let rows = Counts::now().rows - self.before;
        if let Some((_, task)) = &self.line {
            task.abort();
            self.above(|| ());
        }
        if rows > 0 && !self.quiet {
            eprintln!("{}", summary(rows, self.start.elapsed()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.line {
            task.abort();
        }
    }
}

fn summary(rows: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    format!(
        "{rows} answers in {seconds:.1} s, {:.1} per second",
        rows as f64 / seconds.max(1e-9)
    )
}
