//! A web page and an HTTP API around a Florence-2 model: photos in, captions, boxes, polygons and text
//! out. It is what `florence serve` runs, and a library for programs that serve a model of their own.
//!
//! ```
//! use florence_serve::{Limits, Server};
//! use florence_tasks::Florence;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let model = Florence::nano()?; // built-in demo model; for photos: Florence::from_dir("Florence-2-base-ft")?
//! let limits = Limits::new().queue(16);
//! let server = Server::new(model, "florence-nano", limits)?.with_host("photos.example");
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! println!("http://{}", listener.local_addr()?);
//! # let shutdown = std::future::ready(());
//! # #[cfg(any())]
//! let shutdown = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
//! server.run(listener, shutdown).await?; // then accepted requests are finished
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Server`] runs until a future completes, then shuts down gracefully. [`Server::with_note`] shows a
//!   note about the model, [`Server::with_host`] allows a host name. [`Server::router`] gives the routes
//!   to a program that serves others too.
//! - Programs for the APIs of OpenAI and Ollama can use the server as it is; the README says how a chat
//!   becomes a task. [`Server::with_alias`] adds a name that they may ask for.
//! - [`Limits`] bounds request sizes, questions, tokens, queue, connections, timeouts, cache and batch
//!   size, and with them the memory; requests beyond a limit get an error that names it.
//! - [`ServeError`] is the error of [`Server::new`].
//!
//! One thread runs the model and answers questions of several requests as a batch. There is no
//! authentication and no TLS. Requests must name `localhost`, an IP address or an allowed host; web
//! pages may call the API only from the server's own origin or an allowed host.
//!
//! The API is described in `openapi.json`, which the server serves at `/openapi.json`; the README has
//! examples with `curl`, the error codes, and figures under load.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod api;
mod engine;
mod error;
mod hosts;
mod limits;
mod metrics;
mod page;
mod photo;
mod question;
mod server;
mod truncate;
mod upload;

pub use limits::Limits;
pub use server::{ServeError, Server};
