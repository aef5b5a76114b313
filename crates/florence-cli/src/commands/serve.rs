//! `florence serve`: a web page and an HTTP API.

use std::path::Path;
use std::time::Duration;

use florence_serve::{Limits, Server};
use tokio::net::TcpListener;

use super::load;
use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::stderr::tell;

/// What the page says of the model that ships.
const DEMONSTRATION: &str = "A demonstration model: it knows coloured shapes and printed words. For photographs: \
    florence serve --model DIR (README, Models).";

pub(crate) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let default = Limits::default();
    let limits = Limits {
        max_bytes: usize::from(args.max_megabytes) << 20,
        max_pixels: (args.max_megapixels).map_or(default.max_pixels, |millions| {
            u64::from(millions) * 1_000_000
        }),
        queue: args.queue.into(),
        batch: args.batch.into(),
        request_time: Duration::from_secs(args.request_seconds.into()),
        ..default
    };
    let other = |error: std::io::Error| Failure::Other(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(other)?;
    runtime.block_on(async {
        // Before the model: who cannot listen need not load.
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| Failure::Usage(format!("--listen {}: {error}", args.listen)))?;
        let florence = load(&args.model)?;
        let server = Server::new(florence, name(args.model.folder()), limits)
            .map_err(|error| Failure::Other(error.to_string()))?;
        let server = args.hosts.iter().fold(server, Server::with_host);
        let server = match args.model.folder() {
            None => server.with_note(DEMONSTRATION),
            Some(_) => server,
        };
        println!("http://{}", listener.local_addr()?);
        Ok(server.run(listener, end()).await?)
    })
}

/// What clients see of the model: not where its files are.
fn name(folder: Option<&Path>) -> String {
    let Some(folder) = folder else {
        return "florence-nano".to_owned();
    };
    let folder = folder.canonicalize().ok();
    let folder = folder.as_deref().and_then(Path::file_name);
    folder.unwrap_or_default().to_string_lossy().into_owned()
}

/// Until the first signal; the next one ends the process.
async fn end() {
    stop().await;
    tell("ending; once more to stop now");
    tokio::spawn(async {
        stop().await;
        std::process::exit(1);
    });
}

/// Until Ctrl-C, or what a service manager sends.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut end) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => (),
                _ = end.recv() => (),
            }
            return;
        }
    }
    // Without signals the process ends when it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
