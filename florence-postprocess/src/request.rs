//! A task with its input, and the prompt that they make.

use std::fmt;

use crate::geometry::{BBox, Size};
use crate::quantizer::{CoordinateQuantizer, RegionError};
use crate::task::{InputKind, Task};

/// A [`Task`] with its input: a text or a region.
///
/// # Example
///
/// ```
/// use florence_postprocess::{BBox, Size, Task};
///
/// let request = Task::RegionToOcr.with_region(BBox::new(0.0, 0.0, 320.0, 240.0));
/// assert_eq!(
///     request.to_prompt(Size::new(640, 480))?,
///     "What text is in the region <loc_0><loc_0><loc_500><loc_500>?",
/// );
/// # Ok::<(), florence_postprocess::RequestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    task: Task,
    text: Option<String>,
    region: Option<BBox>,
    special_tokens: bool,
}

/// The input of a [`Request`], which is the one that its task needs.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Input, Task};
///
/// let request = Task::PhraseGrounding.with_text(" a car ");
/// assert_eq!(request.input()?, Input::Text("a car"));
/// # Ok::<(), florence_postprocess::RequestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// None.
    None,
    /// A text without surrounding whitespace, not empty.
    Text(&'a str),
    /// A box in pixels of the original image.
    Region(BBox),
}

impl Task {
    /// This task with a text. Surrounding whitespace is removed.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Size, Task};
    ///
    /// let request = Task::ReferringSegmentation.with_text(" the red car ");
    /// assert_eq!(
    ///     request.to_prompt(Size::new(640, 480))?,
    ///     "Locate the red car in the image with mask",
    /// );
    /// # Ok::<(), florence_postprocess::RequestError>(())
    /// ```
    pub fn with_text(self, text: impl Into<String>) -> Request {
        Request {
            text: Some(text.into()),
            ..Request::new(self)
        }
    }

    /// This task with a region in pixels of the original image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{BBox, Size, Task};
    ///
    /// let request = Task::RegionToCategory.with_region(BBox::new(0.0, 0.0, 64.0, 48.0));
    /// assert_eq!(
    ///     request.to_prompt(Size::new(640, 480))?,
    ///     "What is the region <loc_0><loc_0><loc_100><loc_100>?",
    /// );
    /// # Ok::<(), florence_postprocess::RequestError>(())
    /// ```
    pub fn with_region(self, region: BBox) -> Request {
        Request {
            region: Some(region),
            ..Request::new(self)
        }
    }
}

impl Request {
    /// A task without input.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Request, Size, Task};
    ///
    /// let request = Request::new(Task::Caption);
    /// assert_eq!(request.to_prompt(Size::new(640, 480))?, "What does the image describe?");
    /// # Ok::<(), florence_postprocess::RequestError>(())
    /// ```
    pub fn new(task: Task) -> Self {
        Self {
            task,
            text: None,
            region: None,
            special_tokens: false,
        }
    }

    /// With this optional text and region, as a command line has them. Input that is missing or
    /// superfluous is an error of [`input`](Request::input).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Request, Task};
    ///
    /// let error = Request::new(Task::Od).with_input(Some("cars"), None).input().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "<OD> takes no text, but got \"cars\": it is asked about the image as a whole",
    /// );
    /// ```
    #[must_use]
    pub fn with_input(self, text: Option<&str>, region: Option<BBox>) -> Self {
        Self {
            text: text.map(str::to_owned),
            region,
            ..self
        }
    }

    /// Whether special tokens such as `<loc_5>` in the text are encoded as tokens, which the
    /// reference processors do, or as plain characters. Off by default. The prompt's text is the
    /// same; only who encodes it needs to know.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// let request = Task::ReferringSegmentation.with_text("the car at <loc_5>");
    /// assert!(!request.recognizes_special_tokens());
    /// assert!(request.recognize_special_tokens(true).recognizes_special_tokens());
    /// ```
    #[must_use]
    pub fn recognize_special_tokens(self, yes: bool) -> Self {
        Self {
            special_tokens: yes,
            ..self
        }
    }

    /// Whether special tokens in the text are encoded as tokens.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Request, Task};
    ///
    /// assert!(!Request::new(Task::Od).recognizes_special_tokens());
    /// ```
    pub fn recognizes_special_tokens(&self) -> bool {
        self.special_tokens
    }

    /// The task.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// assert_eq!(Task::PhraseGrounding.with_text("a car").task(), Task::PhraseGrounding);
    /// ```
    pub fn task(&self) -> Task {
        self.task
    }

    /// The input, checked against what the task needs.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for input that is missing or superfluous.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Input, Request, RequestError, Task};
    ///
    /// assert_eq!(Request::new(Task::Od).input(), Ok(Input::None));
    /// let task = Task::PhraseGrounding;
    /// assert_eq!(Request::new(task).input(), Err(RequestError::MissingText { task }));
    /// ```
    pub fn input(&self) -> Result<Input<'_>, RequestError> {
        let (task, kind) = (self.task, self.task.input());
        let text = self.text.as_deref().map(str::trim);
        match (kind, text) {
            (InputKind::Text, None | Some("")) => return Err(RequestError::MissingText { task }),
            (InputKind::None | InputKind::Region, Some(text)) => {
                let text = text.to_owned();
                return Err(RequestError::SuperfluousText { task, text });
            }
            _ => {}
        }
        match (kind, self.region) {
            (InputKind::Region, None) => Err(RequestError::MissingRegion { task }),
            (InputKind::Region, Some(region)) => Ok(Input::Region(region)),
            (_, Some(region)) => Err(RequestError::SuperfluousRegion { task, region }),
            (_, None) => Ok(text.map_or(Input::None, Input::Text)),
        }
    }

    /// The prompt for an image of this size, as the reference processors write it. Encode it with
    /// `<s>` before it and `</s>` after it.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for input that is missing or superfluous, and for a region that is not a
    /// box inside the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Size, Task};
    ///
    /// let request = Task::OpenVocabularyDetection.with_text("car<and>house");
    /// assert_eq!(request.to_prompt(Size::new(640, 480))?, "Locate car<and>house in the image.");
    /// # Ok::<(), florence_postprocess::RequestError>(())
    /// ```
    pub fn to_prompt(&self, size: Size) -> Result<String, RequestError> {
        let template = self.task.prompt_template();
        Ok(match self.input()? {
            Input::None => template.to_owned(),
            Input::Text(text) => template.replacen("{input}", text, 1),
            Input::Region(region) => {
                let bins = CoordinateQuantizer::new(size).quantize_region(&region)?;
                let tokens: String = bins.iter().map(|bin| format!("<loc_{bin}>")).collect();
                template.replacen("{input}", &tokens, 1)
            }
        })
    }
}

impl From<Task> for Request {
    fn from(task: Task) -> Self {
        Self::new(task)
    }
}

/// Input that does not fit a task or an image.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Request, Task};
///
/// let error = Request::new(Task::PhraseGrounding).input().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "<CAPTION_TO_PHRASE_GROUNDING> needs text, and got none: expected a caption such as \
///      \"a green car in front of a house\"",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The task needs a text, and got none or only whitespace.
    MissingText {
        /// The task.
        task: Task,
    },
    /// The task takes no text.
    SuperfluousText {
        /// The task.
        task: Task,
        /// The text.
        text: String,
    },
    /// The task needs a region.
    MissingRegion {
        /// The task.
        task: Task,
    },
    /// The task takes no region.
    SuperfluousRegion {
        /// The task.
        task: Task,
        /// The region.
        region: BBox,
    },
    /// The region is not a box inside the image.
    Region(RegionError),
}

impl From<RegionError> for RequestError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingText { task } => {
                let expected = expected_text(*task);
                write!(f, "{task} needs text, and got none: expected {expected}")
            }
            Self::SuperfluousText { task, text } => {
                let takes = takes(*task);
                write!(f, "{task} takes no text, but got {text:?}: {takes}")
            }
            Self::MissingRegion { task } => write!(
                f,
                "{task} needs a region, and got none: expected x1, y1, x2, y2 in pixels of the image"
            ),
            Self::SuperfluousRegion { task, region } => {
                let ([x1, y1, x2, y2], takes) = (region.to_array(), takes(*task));
                write!(
                    f,
                    "{task} takes no region, but got {x1},{y1},{x2},{y2}: {takes}"
                )
            }
            Self::Region(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RequestError {}

fn expected_text(task: Task) -> &'static str {
    match task {
        Task::PhraseGrounding => "a caption such as \"a green car in front of a house\"",
        Task::ReferringSegmentation => "an expression such as \"the green car\"",
        _ => "names such as \"car\" or \"car<and>house\"",
    }
}

fn takes(task: Task) -> &'static str {
    match task.input() {
        InputKind::None => "it is asked about the image as a whole",
        InputKind::Text => "it is asked about a text",
        InputKind::Region => "it is asked about a region",
    }
}
