//! The server: accepts connections and shuts down gracefully.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use florence_tasks::Florence;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::api::{self, App};
use crate::engine::Engine;
use crate::hosts::Hosts;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::photo::Photos;
use crate::upload::Uploads;

/// A web page and an HTTP API around a model.
///
/// # Example
///
/// ```
/// use florence_serve::{Limits, Server};
/// use florence_tasks::Florence;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = Server::new(Florence::nano()?, "florence-nano", Limits::default())?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// println!("http://{}", listener.local_addr()?);
/// # let forever = std::future::ready(());
/// # #[cfg(any())]
/// let forever = std::future::pending();
/// server.run(listener, forever).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    app: App,
    hosts: Vec<String>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The thread of the model could not be started.
    #[error("the thread of the model could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// Wait after a failed `accept`, such as too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// Extra time for connections on shutdown, after all timeouts have passed.
const GRACE: Duration = Duration::from_secs(5);

impl Server {
    /// A server of a model, called `name` on the page and in the API.
    ///
    /// # Errors
    ///
    /// When the thread of the model cannot be started.
    ///
    /// # Example
    ///
    /// See [`Server`].
    pub fn new(
        florence: Florence,
        name: impl Into<String>,
        limits: Limits,
    ) -> Result<Self, ServeError> {
        let metrics = Arc::new(Metrics::new());
        let engine = Engine::start(florence.clone(), limits.clone(), metrics.clone());
        Ok(Self {
            app: App {
                engine: engine.map_err(ServeError::Thread)?,
                uploads: Uploads::new(&limits),
                photos: Photos::new(florence.clone(), limits.max_pixels),
                model: name.into(),
                aliases: Vec::new(),
                started: SystemTime::now(),
                note: None,
                florence,
                limits,
                metrics,
            },
            hosts: Vec::new(),
        })
    }

    /// Adds a note about the model, one line, shown on the page and in the API.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_serve::{Limits, Server};
    /// use florence_tasks::Florence;
    ///
    /// let server = Server::new(Florence::nano()?, "florence-nano", Limits::default())?
    ///     .with_note("A demo model: it knows only colored shapes and printed words.");
    /// assert!(format!("{server:?}").contains("A demo model"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.app.note = Some(note.into());
        self
    }

    /// Also allows this host name, and web pages on it, as behind a proxy. By default only names that
    /// DNS rebinding cannot claim are allowed: `localhost` and IP addresses, on a loopback address
    /// only loopback ones.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_serve::{Limits, Server};
    /// use florence_tasks::Florence;
    ///
    /// let server = Server::new(Florence::nano()?, "florence-nano", Limits::default())?
    ///     .with_host("photos.example");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Also serves the model under this name in the APIs of OpenAI and Ollama, for programs that ask
    /// for a model of a fixed name.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_serve::{Limits, Server};
    /// use florence_tasks::Florence;
    ///
    /// let server = Server::new(Florence::nano()?, "florence-nano", Limits::default())?
    ///     .with_alias("llava");
    /// assert!(format!("{server:?}").contains(r#"aliases: ["llava"]"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_alias(mut self, name: impl Into<String>) -> Self {
        self.app.aliases.push(name.into());
        self
    }

    /// The routes of the page and the API, for a program that serves them beside its own: requests
    /// are checked as if the server listened on this address (see [`Server::with_host`]). The limits
    /// on connections ([`connections`](Limits::connections), and
    /// [`stall_time`](Limits::stall_time) for answers) are those of [`Server::run`] only, and so is
    /// its shutdown. Paths are absolute, so they belong at the root.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::Router;
    /// use axum::body::Body;
    /// use axum::http::{Request, StatusCode};
    /// use axum::routing::get;
    /// use florence_serve::{Limits, Server};
    /// use florence_tasks::Florence;
    /// use tower::ServiceExt;
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = Server::new(Florence::nano()?, "florence-nano", Limits::default())?;
    /// let router: Router = server
    ///     .router("127.0.0.1:8080".parse()?)
    ///     .route("/hello", get(|| async { "hello" }));
    ///
    /// for (path, host, status) in [
    ///     ("/hello", "localhost:8080", StatusCode::OK),
    ///     ("/v1/models", "localhost:8080", StatusCode::OK),
    ///     ("/v1/models", "evil.example", StatusCode::FORBIDDEN),
    /// ] {
    ///     let request = Request::get(path).header("host", host).body(Body::empty())?;
    ///     let response = router.clone().oneshot(request).await?;
    ///     assert_eq!(response.status(), status, "{path}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn router(self, address: SocketAddr) -> Router {
        let hosts = Hosts::new(address, self.hosts);
        api::router(Arc::new(self.app), hosts)
    }

    /// Serves connections until `shutdown` completes; then accepts no more, finishes accepted
    /// requests, and returns.
    ///
    /// # Errors
    ///
    /// When the listener has no address.
    ///
    /// # Example
    ///
    /// See [`Server`].
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        let hosts = Hosts::new(listener.local_addr()?, self.hosts);
        let app = Arc::new(self.app);
        let router = api::router(app.clone(), hosts);
        let limits = &app.limits;
        let permits = Arc::new(Semaphore::new(limits.connections));
        let connections = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = async {
                let permit = permits.clone().acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, stream) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut shutdown => break,
            };
            let Ok((stream, _)) = stream else {
                tokio::time::sleep(ACCEPT_BACKOFF).await;
                continue;
            };
            // Without this, a streamed answer may wait for the acknowledgment of the one before.
            let _ = stream.set_nodelay(true);
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(limits.stall_time));
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.upload_time)
                .serve_connection(TokioIo::new(Box::pin(stream)), service);
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                // Connection errors concern the client only.
                let _ = connection.await;
                drop(permit);
            });
        }
        drop(listener);
        app.engine.close();
        let longest = limits.upload_time + limits.request_time + GRACE;
        let _ = tokio::time::timeout(longest, connections.shutdown()).await;
        Ok(())
    }
}
