//! Hub options: revision, server, cache, progress.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Progress of the download of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress<'a> {
    /// The file's name, such as `model.safetensors`.
    pub file: &'a str,
    /// Bytes present, those of an earlier, interrupted download included.
    pub done: u64,
    /// Total bytes.
    pub total: u64,
}

pub(super) type ProgressFn = dyn Fn(DownloadProgress<'_>) + Send + Sync;

/// Options for downloads from the hub.
///
/// # Example: pin a commit, never touch the network
///
/// ```
/// use florence_core::hub::HubOptions;
///
/// let options = HubOptions::new()
///     .revision("5ca5edf5bd017b9919c05d08aebef5e4c7ac3bac")
///     .offline(true);
/// assert!(format!("{options:?}").contains("offline: true"));
/// ```
#[derive(Clone)]
pub struct HubOptions {
    pub(super) revision: String,
    pub(super) cache_dir: Option<PathBuf>,
    pub(super) offline: bool,
    pub(super) endpoint: Option<String>,
    pub(super) token: Option<String>,
    pub(super) retries: usize,
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
    /// The defaults.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new();
    /// assert!(format!("{options:?}").contains("revision: \"main\""));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Branch, tag or commit. Default: `main`.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().revision("refs/pr/12");
    /// assert!(format!("{options:?}").contains("revision"));
    /// ```
    #[must_use]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// The cache folder, laid out as that of the Python library. Default: `~/.cache/huggingface/hub`.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().cache_dir("/var/cache/models");
    /// assert!(format!("{options:?}").contains("cache_dir"));
    /// ```
    #[must_use]
    pub fn cache_dir(mut self, cache_dir: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(cache_dir.into());
        self
    }

    /// Whether only the cache may be used. Default: no.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().offline(true);
    /// assert!(format!("{options:?}").contains("offline"));
    /// ```
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// The server. Default: `https://huggingface.co`.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().endpoint("http://localhost:8000");
    /// assert!(format!("{options:?}").contains("endpoint"));
    /// ```
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// The access token, sent as it is; needed for private models only. Tokens that other programs
    /// stored on this machine are not used.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().token("hf_…");
    /// assert!(format!("{options:?}").contains("token: Some("));
    /// ```
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Maximum number of times that an interrupted transfer is resumed. Default: 3.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new().retries(0);
    /// assert!(format!("{options:?}").contains("retries"));
    /// ```
    #[must_use]
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// The defaults, changed by the environment variables of the Python
    /// library: `HF_HUB_CACHE` (the cache), `HF_HOME` (the cache is its `hub`),
    /// `HF_ENDPOINT`, `HF_HUB_OFFLINE` (`1`, `on`, `yes` or `true`), and `HF_TOKEN`, else the token
    /// that `hf auth login` has left in `HF_TOKEN_PATH` or in the file `token` of `HF_HOME`.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::from_env();
    /// assert!(format!("{options:?}").contains("revision: \"main\""));
    /// ```
    pub fn from_env() -> Self {
        let value = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let home = value("HF_HOME").map(PathBuf::from);
        HubOptions {
            cache_dir: value("HF_HUB_CACHE")
                .map(PathBuf::from)
                .or_else(|| Some(home.as_ref()?.join("hub"))),
            endpoint: value("HF_ENDPOINT"),
            token: value("HF_TOKEN").or_else(|| {
                let folder =
                    home.or_else(|| Some(std::env::home_dir()?.join(".cache/huggingface")));
                let file = value("HF_TOKEN_PATH").map(PathBuf::from);
                let token = std::fs::read_to_string(file.or_else(|| Some(folder?.join("token")))?);
                token
                    .ok()
                    .map(|token| token.trim().to_owned())
                    .filter(|token| !token.is_empty())
            }),
            offline: value("HF_HUB_OFFLINE").is_some_and(|v| {
                ["1", "on", "yes", "true"].contains(&v.to_ascii_lowercase().as_str())
            }),
            ..Self::default()
        }
    }

    /// Calls `report` repeatedly while a file is downloaded.
    ///
    /// # Example
    ///
    /// ```
    /// let options = florence_core::hub::HubOptions::new()
    ///     .progress(|p| eprintln!("{} {}/{}", p.file, p.done, p.total));
    /// assert!(format!("{options:?}").contains("progress: true"));
    /// ```
    #[must_use]
    pub fn progress(
        mut self,
        report: impl Fn(DownloadProgress<'_>) + Send + Sync + 'static,
    ) -> Self {
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
