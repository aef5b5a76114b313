//! Errors, and what would be right.

use std::fmt;

use florence_core::ErrorKind;
use florence_postprocess::{BBox, Size};

use crate::cascade::{CascadeName, UnknownCascade};
use crate::task::{InputKind, Task, UnknownTask};

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

    /// A task that is asked about a text got none, or nothing but whitespace.
    #[error("{task} needs text, and got none: expected {}", task.expected_text())]
    MissingText {
        /// The task.
        task: Task,
    },

    /// A task that takes no text got some.
    #[error("{task} takes no text, but got {text:?}: {}", takes(*task))]
    SuperfluousText {
        /// The task.
        task: Task,
        /// The text.
        text: String,
    },

    /// A task that is asked about a region got none.
    #[error("{task} needs a region, and got none: expected x1, y1, x2, y2 in pixels of the image")]
    MissingRegion {
        /// The task.
        task: Task,
    },

    /// A task that takes no region got one.
    #[error("{task} takes no region, but got {}: {}", show(region), takes(*task))]
    SuperfluousRegion {
        /// The task.
        task: Task,
        /// The region.
        region: BBox,
    },

    /// A region that is no box inside the image.
    #[error("region {} {problem}: expected {}", show(region), inside(*size))]
    Region {
        /// The region, in pixels of the original image.
        region: BBox,
        /// The size of the image.
        size: Size,
        /// What is wrong with it.
        problem: RegionProblem,
    },

    /// A special token that the checkpoint's vocabulary does not have.
    #[error("{token} is no special token of this checkpoint's tokenizer")]
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

/// What is wrong with the region of a question.
///
/// # Example
///
/// ```
/// use florence_tasks::RegionProblem;
///
/// assert_eq!(RegionProblem::Outside.to_string(), "reaches outside of the image");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegionProblem {
    /// A coordinate is NaN or infinite.
    NotFinite,
    /// x1 is greater than x2, or y1 than y2.
    NotOrdered,
    /// It reaches beyond the image.
    Outside,
}

impl fmt::Display for RegionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "is not made of finite numbers",
            Self::NotOrdered => "has its corners in the wrong order",
            Self::Outside => "reaches outside of the image",
        })
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

fn takes(task: Task) -> &'static str {
    match task.input() {
        InputKind::None => "it is asked about the image as a whole",
        InputKind::Text => "it is asked about a text",
        InputKind::Region => "it is asked about a region",
    }
}

fn show(region: &BBox) -> String {
    let BBox { x1, y1, x2, y2 } = region;
    format!("{x1},{y1},{x2},{y2}")
}

fn inside(size: Size) -> String {
    let Size { width, height } = size;
    format!("0 <= x1 <= x2 <= {width} and 0 <= y1 <= y2 <= {height} (pixels of the image)")
}
