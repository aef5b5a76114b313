//! Errors of the command and their exit codes.

use std::path::Path;
use std::process::ExitCode;

use florence_tasks::ErrorKind;

use crate::image_name::ImageName;
use crate::printable::one_line;
use crate::stderr::tell_error;

/// An error message and its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments are wrong.
    #[error("{0}")]
    Usage(String),
    /// The model cannot be loaded.
    #[error("{0}")]
    Model(String),
    /// An image or a line of input cannot be used.
    #[error("{0}")]
    Input(String),
    /// Anything else, such as a closed pipe.
    #[error("{0}")]
    Other(String),
    /// A signal asked the process to end.
    #[error("interrupted: all files written so far are complete{}", if *resumes { "; the same command with --resume goes on" } else { "" })]
    Interrupted {
        /// The exit code.
        code: u8,
        /// Whether `--resume` knows what is done.
        resumes: bool,
    },
    /// The reader of stdout closed it.
    #[error("the output was closed")]
    BrokenPipe,
    /// One of the above, already printed.
    #[error("{0}")]
    Reported(Box<Failure>),
}

impl Failure {
    /// The same error, prefixed with the file that caused it.
    pub(crate) fn about(self, path: &Path) -> Self {
        let put = |message: String| format!("{}: {message}", ImageName(path));
        match self {
            Self::Usage(message) => Self::Usage(put(message)),
            Self::Model(message) => Self::Model(put(message)),
            Self::Input(message) => Self::Input(put(message)),
            Self::Other(message) => Self::Other(put(message)),
            Self::Interrupted { .. } | Self::BrokenPipe | Self::Reported(_) => self,
        }
    }

    /// Prints the error to stderr in one line, unless it was printed already.
    pub(crate) fn report(&self) {
        if !matches!(self, Self::Reported(_)) {
            tell_error(one_line(&self.to_string()));
        }
    }

    /// What failed, for counts of many.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Input(_) => "unreadable",
            Self::Usage(_) => "refused (the question does not fit the image)",
            Self::Reported(failure) => failure.kind(),
            _ => "failed",
        }
    }

    /// The code that the process exits with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Other(_) | Self::BrokenPipe => ExitCode::from(1),
            Self::Interrupted { code, .. } => ExitCode::from(*code),
            Self::Usage(_) => ExitCode::from(2),
            Self::Model(_) => ExitCode::from(3),
            Self::Input(_) => ExitCode::from(4),
            Self::Reported(failure) => failure.exit_code(),
        }
    }
}

impl From<florence_tasks::Error> for Failure {
    fn from(error: florence_tasks::Error) -> Self {
        let message = error.to_string();
        match error.kind() {
            ErrorKind::Argument => Self::Usage(message),
            ErrorKind::Checkpoint => Self::Model(message),
            ErrorKind::Image => Self::Input(message),
            _ => Self::Other(message),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Other(error.to_string()),
        }
    }
}
