//! Why a file is not read: for good, or for now.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::time::Duration;

use datafusion::common::DataFusionError;
use url::Url;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is missing, may not be read, or is too large: the answer will not change.
    #[error("{0}")]
    Refused(String),
    /// The storage failed, or refuses the program and not this file: nothing is known about the file.
    #[error("{0}")]
    Failed(io::Error),
}

impl ReadError {
    pub(crate) fn refused(name: &str, reason: impl Display) -> Self {
        Self::Refused(format!("{name}: {reason}"))
    }

    pub(super) fn too_large(bytes: u64, limit: u64) -> Self {
        Self::Refused(format!(
            "the file has {bytes} bytes, more than the limit of {limit} (florence.max_megabytes = {})",
            limit >> 20
        ))
    }

    pub(super) fn timeout(time: Duration) -> Self {
        let seconds = time.as_secs();
        let reason = format!("not read within {seconds} s (florence.read_timeout_seconds)");
        Self::Failed(io::Error::new(ErrorKind::TimedOut, reason))
    }

    /// The same error, with the name of the file.
    pub(crate) fn about(self, name: &str) -> Self {
        match self {
            Self::Refused(reason) => Self::refused(name, reason),
            Self::Failed(error) => {
                Self::Failed(io::Error::new(error.kind(), format!("{name}: {error}")))
            }
        }
    }
}

/// Ballista repeats a task whose error is an `IoError`, and no other.
impl From<ReadError> for DataFusionError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Refused(reason) => Self::Execution(reason),
            ReadError::Failed(error) => Self::IoError(error),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Refused("no such file".to_owned()),
            ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::FileTooLarge => Self::Refused(error.to_string()),
            _ => Self::Failed(error),
        }
    }
}

impl ReadError {
    /// The error of a store about a URL.
    pub(crate) fn of_store(error: &object_store::Error, url: &Url) -> Self {
        use object_store::Error as Store;
        // A query may name many web servers, of which one refuses.
        let is_web = matches!(url.scheme(), "http" | "https");
        match error {
            _ if !is_web && is_about_all(error) => Self::failed(error),
            Store::Unauthenticated { .. } if !is_web => Self::failed(error),
            Store::NotFound { .. } => Self::Refused("no such object".to_owned()),
            Store::Generic { .. } | Store::JoinError { .. } if !is_final(error) => {
                Self::failed(error)
            }
            _ => Self::Refused(one_line(error)),
        }
    }

    /// A store that failed, cannot be opened with its settings, or gets no credentials with them.
    pub(super) fn failed(error: &object_store::Error) -> Self {
        Self::Failed(io::Error::other(one_line(error)))
    }
}

/// Whether S3 would refuse every object: by its codes for credentials and for buckets.
fn is_about_all(error: &object_store::Error) -> bool {
    const CODES: [&str; 7] = [
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NoSuchBucket",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    ];
    let reason = reason(error);
    let is_code = |code: &&str| reason.contains(&format!("<Code>{code}</Code>"));
    CODES.iter().any(is_code)
}

/// What a store says of the request, whose path is encoded in it.
fn reason(error: &object_store::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// Whether a generic error is one that another attempt does not change: an answer of the client's
/// fault, or an error of the file system that says so.
fn is_final(error: &object_store::Error) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            let again = io::Error::from(error.kind());
            return matches!(ReadError::from(again), ReadError::Refused(_));
        }
        source = inner.source();
    }
    // The type of this error is private.
    let reason = reason(error);
    let status = reason.split_once("status code: ").map(|(_, status)| status);
    let status: Option<u16> = status.and_then(|status| status.get(..3)?.parse().ok());
    status.is_some_and(|status| (400..500).contains(&status) && !matches!(status, 408 | 425 | 429))
}

fn one_line(error: &object_store::Error) -> String {
    let text = error.to_string();
    let text: Vec<&str> = text.split_whitespace().collect();
    text.join(" ").chars().take(500).collect()
}
