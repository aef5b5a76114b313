//! Checkpoints by name: downloaded once from the Hugging Face hub into its standard cache, which
//! other programs share.

mod fetch;
mod name;
mod options;
mod part;

use std::path::{Path, PathBuf};

pub use name::{is_repo_id, repo_id};
pub use options::{DownloadProgress, HubOptions};
pub use part::Part;

use crate::{Checkpoint, Result};

/// Why a checkpoint could not be obtained from the hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The hub does not know the repository or the revision, or does not show
    /// them to everyone.
    #[error(
        "{endpoint} has no model {name} at revision {revision}: check the spelling; if it is private or \
         gated, ask for access on its page and set HF_TOKEN"
    )]
    UnknownRepo {
        /// The repository, such as `microsoft/Florence-2-base`.
        name: String,
        /// The requested branch, tag or commit.
        revision: String,
        /// The server.
        endpoint: String,
    },

    /// The repository lacks a file that a checkpoint must have.
    #[error("{name} at revision {revision} has no {expected}")]
    MissingFile {
        /// The repository.
        name: String,
        /// The requested branch, tag or commit.
        revision: String,
        /// The file, or those of which one suffices.
        expected: String,
    },

    /// The checkpoint is not in the cache and the network must not be used.
    #[error(
        "{name} at revision {revision} is not complete in the cache {}, and offline mode forbids \
         downloading it: unset HF_HUB_OFFLINE, or copy the files from a machine with a network", cache.display()
    )]
    Offline {
        /// The repository.
        name: String,
        /// The requested branch, tag or commit.
        revision: String,
        /// The folder that was searched.
        cache: PathBuf,
    },

    /// A request failed, or its answer was not a hub's.
    #[error("{url}: {reason}")]
    Network {
        /// The URL.
        url: String,
        /// The reason.
        reason: String,
    },

    /// The cache cannot be written.
    #[error("cache {}: {error}", path.display())]
    Cache {
        /// The cache folder.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
}

/// Ensures that a checkpoint's files are in the cache and returns their folder, for
/// [`Checkpoint::from_dir`] or any other program.
///
/// The name is `owner/name`, or `owner/name@revision`, which counts more than that of the options. A
/// revision that is complete in the cache is used without asking the hub. Downloads that were
/// interrupted are resumed.
///
/// # Errors
///
/// [`Error::Hub`](crate::Error::Hub); [`Error::Argument`](crate::Error::Argument) for an invalid name
/// or revision.
///
/// # Example
///
/// ```no_run
/// use florence_core::hub::{self, HubOptions};
///
/// let options = HubOptions::from_env()
///     .progress(|p| eprintln!("{}: {} of {} bytes", p.file, p.done, p.total));
/// let folder = hub::download("microsoft/Florence-2-base-ft", &options)?;
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn download(name: &str, options: &HubOptions) -> Result<PathBuf> {
    download_part(name, Part::Checkpoint, options)
}

/// As [`download`], of a part of a checkpoint, or of an adapter.
///
/// # Errors
///
/// As [`download`].
///
/// # Example: what is not in the cache
///
/// ```
/// use florence_core::hub::{self, HubOptions, Part};
///
/// let options = HubOptions::new().offline(true).cache_dir("no/such/cache");
/// let error = hub::download_part("someone/style-lora", Part::Adapter, &options).unwrap_err();
/// assert!(error.to_string().contains("offline mode forbids"));
/// ```
pub fn download_part(name: &str, part: Part, options: &HubOptions) -> Result<PathBuf> {
    let (name, revision) = name::split(name);
    let revision = revision.unwrap_or(&options.revision);
    name::check(name, revision)?;
    Ok(fetch::folder(name, revision, part, options)?)
}

/// Resolves a folder or a [name on the hub](repo_id) to a folder: an existing folder is returned as
/// it is, a name is [downloaded](download_part). A path that is neither is returned as well: opening
/// it gives an error that names it.
///
/// # Errors
///
/// As [`download`].
///
/// # Example
///
/// ```
/// use florence_core::hub::{self, HubOptions, Part};
/// use std::path::Path;
///
/// let options = HubOptions::new().offline(true).cache_dir("no/such/cache");
/// let here = hub::locate("tests/goldens", Part::Checkpoint, &options)?;
/// assert_eq!(here, Path::new("tests/goldens"));
/// assert!(hub::locate("someone/model@v2", Part::Checkpoint, &options).is_err());
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn locate(given: impl AsRef<Path>, part: Part, options: &HubOptions) -> Result<PathBuf> {
    let given = given.as_ref();
    match repo_id(given) {
        Some(name) => download_part(name, part, options),
        None => Ok(given.to_owned()),
    }
}

impl Checkpoint {
    /// Opens a checkpoint of the Hugging Face hub by name, `owner/name` or `owner/name@revision`, with the options of
    /// the environment ([`HubOptions::from_env`]).
    ///
    /// # Errors
    ///
    /// As [`hub::download`](download) and [`Checkpoint::from_dir`].
    ///
    /// # Example
    ///
    /// ```no_run
    /// use florence_core::Checkpoint;
    ///
    /// let checkpoint = Checkpoint::from_hub("microsoft/Florence-2-base")?;
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn from_hub(name: &str) -> Result<Self> {
        Self::from_hub_with(name, &HubOptions::from_env())
    }

    /// Opens a checkpoint of the Hugging Face hub by name.
    ///
    /// # Errors
    ///
    /// As [`hub::download`](download) and [`Checkpoint::from_dir`].
    ///
    /// # Example: only what is in the cache already
    ///
    /// ```
    /// use florence_core::{hub::HubOptions, Checkpoint, ErrorKind};
    ///
    /// let options = HubOptions::new().offline(true).cache_dir("no/such/cache");
    /// let error = Checkpoint::from_hub_with("microsoft/Florence-2-base", &options).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Io);
    /// assert!(error.to_string().contains("offline mode forbids"));
    /// ```
    pub fn from_hub_with(name: &str, options: &HubOptions) -> Result<Self> {
        Self::from_dir(download(name, options)?)
    }
}
