//! Files of this machine. They are read without `object_store`, whose paths do not cover every name
//! that a file may have.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use url::Url;

use super::ReadError;

/// The path of a `file://` URL.
pub(crate) fn local_path(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok()
}

/// Reads a file of at most `limit` bytes.
pub(super) async fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_now(&path, limit)).await;
    read.map_err(|error| ReadError::Refused(error.to_string()))?
}

fn read_now(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    // Opening a pipe would wait for its writer.
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::Refused("this is no file".to_owned()));
    }
    if metadata.len() > limit {
        return Err(ReadError::too_large(metadata.len(), limit));
    }
    let mut bytes = Vec::new();
    // A file may grow while it is read.
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        length if length > limit => Err(ReadError::too_large(length, limit)),
        _ => Ok(bytes),
    }
}
