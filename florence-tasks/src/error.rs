//! Errors, and what would be right.

use std::fmt;

use florence_core::ErrorKind;
use florence_postprocess::{AnswerForm, RegionError, RequestError, UnknownTask};

use crate::cascade::name::{CascadeName, UnknownCascade};

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
    #[error(transparent)]
    UnknownCascade(#[from] UnknownCascade),

    /// A cascade lacks its text, or got something that it does not take.
    #[error("{cascade} {problem}")]
    CascadeInput {
        /// The cascade.
        cascade: CascadeName,
        /// What is wrong.
        problem: InputProblem,
    },

    /// Input that does not fit the task, or a region that is not a box inside the image.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// A form of answer for a task or cascade, whose answers have one.
    #[error("the answer of {task} is {form}: a form is chosen for markers and prompts only")]
    KnownForm {
        /// The task or cascade.
        task: String,
        /// The form of its answer.
        form: AnswerForm,
    },

    /// A special token that the checkpoint's vocabulary does not have.
    #[error("{token} is not a special token of this checkpoint's tokenizer")]
    UnknownToken {
        /// The token as it was given.
        token: String,
    },

    /// A cascade that was cancelled: see
    /// [`EncodedImage::cascade_while`](crate::EncodedImage::cascade_while).
    #[error("the cascade was cancelled before its end")]
    Cancelled,

    /// An image that another model encoded.
    #[error("the image was encoded by another model: encode it with this one")]
    ModelMismatch,
}

impl Error {
    /// Which side has to fix it: the file system, the checkpoint, the image, the arguments or the
    /// device.
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
            _ => ErrorKind::Argument,
        }
    }
}

/// What is wrong with the input of a cascade.
///
/// # Example
///
/// ```
/// use florence_tasks::InputProblem;
///
/// let problem = InputProblem::SuperfluousRegion.to_string();
/// assert_eq!(problem, "takes no region: it is asked about the image as a whole");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputProblem {
    /// It needs a text.
    MissingText,
    /// It takes no region.
    SuperfluousRegion,
    /// It takes neither text nor region.
    Superfluous,
    /// Its text is read as text, without special tokens.
    SpecialTokens,
}

impl fmt::Display for InputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingText => {
                "needs text, and got none: expected a caption such as \"a green car\""
            }
            Self::SuperfluousRegion => "takes no region: it is asked about the image as a whole",
            Self::Superfluous => {
                "takes neither text nor region: it is asked about the image as a whole"
            }
            Self::SpecialTokens => "reads its text as text: it takes no special tokens",
        })
    }
}

impl From<RegionError> for Error {
    fn from(error: RegionError) -> Self {
        Error::Request(error.into())
    }
}
