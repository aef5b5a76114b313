//! What can go wrong, and what would be right.

use florence_core::ErrorKind;
use florence_postprocess::{RegionError, RequestError, UnknownTask};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a question could not be asked or answered.
///
/// Answers themselves are never errors: whatever the model says becomes an answer with
/// diagnostics.
///
/// # Example
///
/// ```
/// use florence_tasks::{ErrorKind, Florence, Task};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let error = florence.run(Task::PhraseGrounding, &img).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Argument);
/// assert_eq!(
///     error.to_string(),
///     "<CAPTION_TO_PHRASE_GROUNDING> needs text, and got none: expected a caption such as \
///      \"a green car in front of a house\"",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The checkpoint, the image or the network.
    #[error(transparent)]
    Core(#[from] florence_core::Error),

    /// A name that is not one of a task.
    #[error(transparent)]
    UnknownTask(#[from] UnknownTask),

    /// A name that is not one of a cascade.
    #[error("unknown cascade {name:?}: expected one of {expected}")]
    UnknownCascade {
        /// The name.
        name: String,
        /// The names that there are.
        expected: String,
    },

    /// A cascade lacks its text, or got something that it does not take.
    #[error("{cascade} {problem}")]
    CascadeInput {
        /// The name of the cascade.
        cascade: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },

    /// Input that does not fit the task, or a region that is not a box inside the image.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// A special token that the checkpoint's vocabulary does not have.
    #[error("{token} is no special token of this checkpoint's tokenizer")]
    UnknownToken {
        /// The token as it was given.
        token: String,
    },

    /// A series of questions that was not wanted any more: see
    /// [`EncodedImage::cascade_while`](crate::EncodedImage::cascade_while).
    #[error("the series of questions was cancelled before its end")]
    Cancelled,

    /// An encoded image of another model.
    #[error("the image was encoded by another model: encode it with this one")]
    ForeignImage,

    /// One question of a batch.
    #[error("question {index} of the batch: {source}")]
    InBatch {
        /// Its position.
        index: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
}

impl Error {
    /// Whose turn it is to do something about it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{ErrorKind, Florence};
    ///
    /// let error = Florence::from_dir("no/such/folder").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Io);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Core(error) => error.kind(),
            Error::InBatch { source, .. } => source.kind(),
            _ => ErrorKind::Argument,
        }
    }

    /// The same, about the question or image `index` of a batch.
    pub(crate) fn in_batch(self, index: usize) -> Self {
        Self::InBatch {
            index,
            source: Box::new(self),
        }
    }
}

impl From<RegionError> for Error {
    fn from(error: RegionError) -> Self {
        Error::Request(error.into())
    }
}

impl From<florence_core::candle::Error> for Error {
    fn from(error: florence_core::candle::Error) -> Self {
        Error::Core(error.into())
    }
}
