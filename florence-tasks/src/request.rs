//! A task with its input.

use florence_postprocess::{Answer, BBox};

use crate::ask::{Ask, Question};
use crate::error::{Error, Result};
use crate::prompt::Prompt;
use crate::task::{InputKind, Task};

/// A [`Task`] with its text or region: the untyped question of command lines and services.
///
/// # Example
///
/// ```
/// use florence_tasks::{BBox, Florence, Task};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let star = BBox::new(148.0, 180.0, 260.0, 286.0);
/// let answer = florence.run(Task::RegionToCategory.with_region(star), &img)?;
/// assert_eq!(answer.value.text(), Some("star"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    task: Task,
    text: Option<String>,
    region: Option<BBox>,
    special_tokens: bool,
}

impl Task {
    /// This task with a text. Surrounding whitespace is removed.
    ///
    /// Special tokens in the text are characters, except `<and>` between the names of
    /// [`OpenVocabularyDetection`](Task::OpenVocabularyDetection); see
    /// [`Request::recognize_special_tokens`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Size, Task};
    ///
    /// let question = Task::ReferringSegmentation.with_text(" the red car ").question()?;
    /// assert_eq!(
    ///     question.prompt.to_text(Size::new(640, 480))?,
    ///     "Locate the red car in the image with mask",
    /// );
    /// # Ok::<(), florence_tasks::Error>(())
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
    /// use florence_tasks::{Ask, BBox, Size, Task};
    ///
    /// let question = Task::RegionToOcr.with_region(BBox::new(0.0, 0.0, 320.0, 240.0)).question()?;
    /// assert_eq!(
    ///     question.prompt.to_text(Size::new(640, 480))?,
    ///     "What text is in the region <loc_0><loc_0><loc_500><loc_500>?",
    /// );
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    pub fn with_region(self, region: BBox) -> Request {
        Request {
            region: Some(region),
            ..Request::new(self)
        }
    }
}

impl Request {
    /// A task with neither text nor region.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Request, Task};
    ///
    /// assert_eq!(Request::new(Task::Od).task(), Task::Od);
    /// ```
    pub fn new(task: Task) -> Self {
        Self {
            task,
            text: None,
            region: None,
            special_tokens: false,
        }
    }

    /// Sets the text, if any, and the region, if any, as from a command line. A missing or
    /// superfluous input is an error when the question is asked.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Request, Task};
    ///
    /// let error = Request::new(Task::Od).with(Some("cars"), None).question().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "<OD> takes no text, but got \"cars\": it is asked about the image as a whole",
    /// );
    /// ```
    #[must_use]
    pub fn with(self, text: Option<&str>, region: Option<BBox>) -> Self {
        Self {
            text: text.map(str::to_owned),
            region,
            ..self
        }
    }

    /// Recognizes special tokens such as `<loc_5>` in the text, as the published processors do. Off
    /// by default: user input is text.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Ask, Florence, Size, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let size = Size::new(640, 480);
    /// let request = Task::ReferringSegmentation.with_text("the car at <loc_5>");
    /// let as_text = request.question()?.prompt.to_ids(florence.tokenizer(), size)?;
    /// let request = request.recognize_special_tokens(true);
    /// let as_tokens = request.question()?.prompt.to_ids(florence.tokenizer(), size)?;
    /// assert!(as_tokens.len() < as_text.len());
    /// # Ok::<(), florence_tasks::Error>(())
    /// ```
    #[must_use]
    pub fn recognize_special_tokens(self, yes: bool) -> Self {
        Self {
            special_tokens: yes,
            ..self
        }
    }

    /// The task.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Task;
    ///
    /// assert_eq!(Task::PhraseGrounding.with_text("a car").task(), Task::PhraseGrounding);
    /// ```
    pub fn task(&self) -> Task {
        self.task
    }

    fn checked_text(&self) -> Result<Option<&str>> {
        let task = self.task;
        let text = self.text.as_deref().map(str::trim);
        match (task.input(), text) {
            (InputKind::Text, None | Some("")) => Err(Error::MissingText { task }),
            (InputKind::Text, Some(text)) => Ok(Some(text)),
            (_, Some(text)) => Err(Error::SuperfluousText {
                task,
                text: text.to_owned(),
            }),
            (_, None) => Ok(None),
        }
    }

    fn checked_region(&self) -> Result<Option<BBox>> {
        let task = self.task;
        match (task.input(), self.region) {
            (InputKind::Region, None) => Err(Error::MissingRegion { task }),
            (InputKind::Region, region) => Ok(region),
            (_, Some(region)) => Err(Error::SuperfluousRegion { task, region }),
            (_, None) => Ok(None),
        }
    }
}

impl Ask for Request {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        let (text, region) = (self.checked_text()?, self.checked_region()?);
        Ok(question(self.task, |mut prompt| {
            if let Some(region) = region {
                prompt = prompt.region(region);
            }
            match text {
                Some(text) if self.special_tokens => prompt.markup(text),
                Some(text) if self.task == Task::OpenVocabularyDetection => {
                    separated(prompt, text.split("<and>"))
                }
                Some(text) => prompt.text(text),
                None => prompt,
            }
        }))
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}

impl Ask for Task {
    type Output = Answer;

    fn question(&self) -> Result<Question> {
        Request::new(*self).question()
    }

    fn read(&self, answer: Answer) -> Answer {
        answer
    }
}

/// The prompt of a task with its input filled in.
pub(crate) fn question(task: Task, input: impl FnOnce(Prompt) -> Prompt) -> Question {
    let prompt = match task.sentence().split_once("{input}") {
        Some((before, after)) => input(Prompt::new().text(before)).text(after),
        None => Prompt::new().text(task.sentence()),
    };
    Question {
        marker: task.marker().to_owned(),
        prompt,
        form: task.form(),
    }
}

/// Names separated by the token `<and>`.
pub(crate) fn separated<'a>(prompt: Prompt, names: impl IntoIterator<Item = &'a str>) -> Prompt {
    names
        .into_iter()
        .enumerate()
        .fold(prompt, |prompt, (index, name)| {
            if index == 0 {
                prompt.text(name)
            } else {
                prompt.special("<and>").text(name)
            }
        })
}
