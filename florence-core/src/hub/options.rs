//! Which revision, from where, into which cache.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How far the download of one file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress<'a> {
    /// The file's name, such as `model.safetensors`.
    pub file: &'a str,
    /// Bytes that are there, those of an earlier, interrupted download
    /// included.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

pub(super) type ProgressFn = dyn Fn(DownloadProgress<'_>) + Send + Sync;

/// How checkpoints are taken from the hub.
///
/// # Example: pin a commit, never touch the network
///
/// ```
/// use florence_core::hub::HubOptions;
///
/// let mut options = HubOptions::default();
/// options.revision = "5ca5edf5bd017b9919c05d08aebef5e4c7ac3bac".to_owned();
/// options.offline = true;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct HubOptions {
    /// Branch, tag or commit. Default: `main`.
    pub revision: String,
    /// The cache folder, laid out as that of the Python library. Default:
    /// `~/.cache/huggingface/hub`.
    pub cache_dir: Option<PathBuf>,
    /// Whether only the cache may be used. Default: no.
    pub offline: bool,
    /// The server. Default: `https://huggingface.co`.
    pub endpoint: Option<String>,
    /// Sent to the server as it is; needed for private models only. Tokens
    /// that other programs stored on this machine are not looked for.
    pub token: Option<String>,
    /// How often an interrupted transfer is taken up again. Default: 3.
    pub retries: usize,
    pub(super) progress: Option<Arc<ProgressFn>>,
}

impl Default for HubOptions {
    fn default() -> Self {
        HubOptions {
            revision: "main".to_owned(),
            cache_dir: None,
            offline: false,
            endpoint: None,
            token: None,
            retries: 3,
            progress: None,
        }
    }
}

impl HubOptions {
    /// The defaults, changed by the environment variables of the Python
    /// library: `HF_HUB_CACHE` (the cache), `HF_HOME` (the cache is its `hub`),
    /// `HF_ENDPOINT`, and `HF_HUB_OFFLINE` (`1`, `on`, `yes` or `true`).
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::from_env();
    /// assert_eq!(options.revision, "main");
    /// ```
    pub fn from_env() -> Self {
        let value = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        HubOptions {
            cache_dir: value("HF_HUB_CACHE")
                .map(PathBuf::from)
                .or_else(|| value("HF_HOME").map(|home| PathBuf::from(home).join("hub"))),
            endpoint: value("HF_ENDPOINT"),
            offline: value("HF_HUB_OFFLINE").is_some_and(|v| {
                ["1", "on", "yes", "true"].contains(&v.to_ascii_lowercase().as_str())
            }),
            ..Self::default()
        }
    }

    /// Calls `report` again and again while a file is downloaded.
    ///
    /// # Example
    ///
    /// ```
    /// let mut options = florence_core::hub::HubOptions::default();
    /// options.progress_with(|p| eprintln!("{} {}/{}", p.file, p.done, p.total));
    /// ```
    pub fn progress_with(
        &mut self,
        report: impl Fn(DownloadProgress<'_>) + Send + Sync + 'static,
    ) -> &mut Self {
        self.progress = Some(Arc::new(report));
        self
    }
}

impl fmt::Debug for HubOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubOptions")
            .field("revision", &self.revision)
            .field("cache_dir", &self.cache_dir)
            .field("offline", &self.offline)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("retries", &self.retries)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}
