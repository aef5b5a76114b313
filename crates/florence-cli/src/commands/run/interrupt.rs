//! Ctrl-C, and what service managers send, while exports are written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Builder;

use crate::stderr::tell;

/// Whether the process was asked to end. The second time it ends at once.
#[derive(Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Nothing is finished: the process ends when it is asked to.
    pub(super) fn ignored() -> Self {
        Self::default()
    }

    /// From here on the image at hand is finished first.
    pub(super) fn heeded() -> io::Result<Self> {
        let code = Arc::new(AtomicU8::new(0));
        let seen = Arc::clone(&code);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _runtime = runtime.enter();
            Signals::new()?
        };
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    let signal = signals.next().await;
                    if seen.swap(signal, Ordering::Relaxed) != 0 {
                        std::process::exit(signal.into());
                    }
                    tell(format_args!(
                        "finishing this image and the exports; once more to stop now"
                    ));
                }
            });
        });
        Ok(Self(code))
    }

    /// The code that the process should exit with, if it was asked to end.
    pub(super) fn code(&self) -> Option<u8> {
        let code = self.0.load(Ordering::Relaxed);
        (code != 0).then_some(code)
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The exit code of the next one: 128 and the number of the signal.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> u8 {
        self.0.recv().await;
        130
    }
}
