//! `florence serve`: a web page and an HTTP API.

use std::time::Duration;

use florence_serve::{Limits, Server};
use tokio::net::TcpListener;

use super::load;
use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::model_name::ModelName;
use crate::signals::Signals;
use crate::stderr::tell;

/// The note about the built-in demo model on the page.
const DEMO_NOTE: &str = "A demo model: it knows only colored shapes and printed words. For photographs: \
    florence serve --model NAME (see florence models).";

pub(crate) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let mut limits = Limits::new()
        .max_bytes(usize::from(args.max_megabytes) << 20)
        .queue(args.queue.into())
        .batch(args.batch.into())
        .request_time(Duration::from_secs(args.request_seconds.into()));
    if let Some(millions) = args.max_megapixels {
        limits = limits.max_pixels(u64::from(millions) * 1_000_000);
    }
    let other = |error: std::io::Error| Failure::Other(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(other)?;
    runtime.block_on(async {
        // Before loading the model, so that an address in use fails at once.
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| Failure::Usage(format!("--listen {}: {error}", args.listen)))?;
        let model = args.model.model();
        let florence = load(&args.model)?;
        let server = Server::new(florence, model.to_string(), limits)
            .map_err(|error| Failure::Other(error.to_string()))?;
        let server = args.hosts.iter().fold(server, Server::with_host);
        let server = args.aliases.iter().fold(server, Server::with_alias);
        let server = match model {
            ModelName::Nano => server.with_note(DEMO_NOTE),
            _ => server,
        };
        let signals = Signals::new()?;
        println!("http://{}", listener.local_addr()?);
        Ok(server.run(listener, shutdown(signals)).await?)
    })
}

/// Waits for the first signal; a second one ends the process.
async fn shutdown(mut signals: Signals) {
    signals.next().await;
    tell("shutting down after the accepted requests; a second signal stops at once");
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(1);
    });
}
