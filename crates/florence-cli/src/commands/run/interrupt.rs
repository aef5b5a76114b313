//! Handles SIGINT and SIGTERM while exports are written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Builder;

use crate::signals::Signals;
use crate::stderr::tell;

/// Whether the process was asked to end. A second signal ends it at once.
#[derive(Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Signals keep their default action: the process ends at once.
    pub(super) fn ignored() -> Self {
        Self::default()
    }

    /// From here on a signal lets the current image finish first.
    pub(super) fn handled() -> io::Result<Self> {
        let code = Arc::new(AtomicU8::new(0));
        let received = Arc::clone(&code);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _runtime = runtime.enter();
            Signals::new()?
        };
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    let signal = signals.next().await;
                    if received.swap(signal, Ordering::Relaxed) != 0 {
                        std::process::exit(signal.into());
                    }
                    tell(format_args!(
                        "finishing this image and the exports; a second signal stops at once"
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
