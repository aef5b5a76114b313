//! Reads image files by path or URL: with limits on size, time and number, and with retries.

mod error;
mod local;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::ObjectStoreScheme;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::options::FlorenceOptions;

pub(crate) use self::error::ReadError;
pub(crate) use self::local::local_path;
pub(crate) use self::store::{is_missing, store};

/// The bytes of a file, which count as being read until they are dropped.
#[derive(Debug)]
pub(crate) struct FileBytes {
    pub(crate) bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    Local(std::path::PathBuf),
    Store(Url),
}

impl Place {
    /// A path, or a URL with `://`.
    pub(crate) fn of(name: &str) -> Result<Self, ReadError> {
        if !name.contains("://") {
            return Ok(Self::Local(name.into()));
        }
        let url = Url::parse(name).map_err(|error| ReadError::refused(name, error))?;
        if url.scheme() == "file" {
            return local_path(&url)
                .map(Self::Local)
                .ok_or_else(|| ReadError::refused(name, "no file of this machine"));
        }
        if !matches!(
            ObjectStoreScheme::parse(&url),
            Ok((
                ObjectStoreScheme::AmazonS3
                    | ObjectStoreScheme::GoogleCloudStorage
                    | ObjectStoreScheme::Http,
                _
            ))
        ) && !matches!(url.scheme(), "http" | "https")
        {
            let expected = "expected a path, or a URL that begins with file://, http://, https://, s3:// or gs://";
            return Err(ReadError::refused(name, expected));
        }
        Ok(Self::Store(url))
    }
}

/// Reads a file.
///
/// # Errors
///
/// [`ReadError::Refused`] for a file that is missing, may not be read or is too large: the answer
/// will not change. [`ReadError::Failed`] for a storage that failed at every attempt.
pub(crate) async fn read(name: &str, options: &FlorenceOptions) -> Result<FileBytes, ReadError> {
    let place = Place::of(name)?;
    let limit = options.max_megabytes << 20;
    let permit = permits(options.read_concurrency).acquire_owned().await;
    let permit = permit.map_err(|error| ReadError::refused(name, error))?;
    let mut pause = Duration::from_millis(100);
    let mut attempt = 1;
    loop {
        let reading = async {
            match &place {
                Place::Local(path) => local::read(path, limit).await,
                Place::Store(url) => store::read(url, limit).await,
            }
        };
        let read = match tokio::time::timeout(options.read_timeout, reading).await {
            Ok(read) => read,
            Err(_) => Err(ReadError::timeout(options.read_timeout)),
        };
        match read {
            Ok(bytes) => {
                return Ok(FileBytes {
                    bytes,
                    _permit: permit,
                });
            }
            Err(ReadError::Failed(_)) if attempt < options.read_attempts => {
                tokio::time::sleep(pause).await;
                pause *= 4;
                attempt += 1;
            }
            Err(error) => return Err(error.about(name)),
        }
    }
}

/// The permits of all reads of the process that have this limit.
fn permits(limit: usize) -> Arc<Semaphore> {
    static PERMITS: Mutex<Option<HashMap<usize, Arc<Semaphore>>>> = Mutex::new(None);
    let mut permits = PERMITS.lock().unwrap_or_else(PoisonError::into_inner);
    let permits = permits.get_or_insert_default().entry(limit);
    permits
        .or_insert_with(|| Arc::new(Semaphore::new(limit)))
        .clone()
}

#[cfg(test)]
mod tests;
