//! A task, a cascade or a fine-tune's marker by its name: what command lines and services take.

mod custom;
mod output;
mod run;
mod unknown;

use std::fmt;
use std::str::FromStr;

use florence_postprocess::{Answer, AnswerForm, BBox, InputKind, Request, Task};

use self::custom::CustomRequest;
pub use self::output::AnyOutput;
pub use self::unknown::UnknownAnyTask;
use crate::ask::Ask;
use crate::cascade::{CascadeName, CascadeRequest};
use crate::custom::Custom;
use crate::error::{Error, InputProblem, Result};

/// A task, a cascade or a [`Custom`] question, chosen by name at run time, with its text or region.
///
/// A name is that of a task (`od`), its task token (`<OD>`), that of a cascade
/// (`detect_and_segment`), or any other marker in angle brackets, which goes to the model as it is
/// and is answered in text unless [set otherwise](AnyTask::answer): fine-tunes have markers of
/// their own. A marker that is a typing error away from a task token is refused; as a
/// [prompt](AnyTask::prompt) it can be sent all the same.
///
/// # Example
///
/// ```
/// use florence_tasks::{AnyTask, Florence};
///
/// let florence = Florence::nano()?;
/// let image = image::open("tests/data/scene.png")?;
/// for name in ["od", "<CAPTION>", "detect_and_segment"] {
///     let task: AnyTask = name.parse()?;
///     let output = florence.run_any(&task, &image)?;
///     assert_eq!(output.size(), (390, 309).into());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AnyTask {
    kind: Kind,
    special_tokens: bool,
    form: Option<AnswerForm>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Task(Request),
    Cascade(CascadeRequest),
    Custom(CustomRequest),
}

impl AnyTask {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            special_tokens: false,
            form: None,
        }
    }

    /// A prompt of one's own, in which special tokens are recognized, as the published processors
    /// do. It is answered in text unless [set otherwise](AnyTask::answer).
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, AnyTask, Florence};
    ///
    /// let prompt = AnyTask::prompt("Locate the objects with category name in the image.");
    /// let image = image::open("tests/data/scene.png")?;
    /// let output = Florence::nano()?.run_any(&prompt.answer(AnswerForm::Boxes), &image)?;
    /// assert_eq!(output.annotations().len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prompt(prompt: impl Into<String>) -> Self {
        Custom::prompt(crate::Prompt::new().markup(prompt)).into()
    }

    /// The form in which the answer of a marker or prompt is parsed; those of tasks and cascades
    /// are fixed.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, AnyTask};
    ///
    /// let panels: AnyTask = "<PANELS>".parse()?;
    /// assert_eq!(panels.answer(AnswerForm::Boxes).form(), AnswerForm::Boxes);
    /// let task: AnyTask = "<OD>".parse()?;
    /// let error = task.answer(AnswerForm::Polygons).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the answer of <OD> is boxes: a form is chosen for markers and prompts only",
    /// );
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    #[must_use]
    pub fn answer(self, form: AnswerForm) -> Self {
        let kind = match self.kind {
            Kind::Custom(custom) => Kind::Custom(custom.answer(form)),
            known => known,
        };
        Self {
            kind,
            form: Some(form),
            ..self
        }
    }

    /// The names of all tasks, then of all cascades.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::AnyTask;
    ///
    /// assert_eq!(AnyTask::names().count(), 24);
    /// assert!(AnyTask::names().all(|name| name.parse::<AnyTask>().is_ok()));
    /// ```
    pub fn names() -> impl Iterator<Item = &'static str> {
        let cascades = CascadeName::ALL.iter().map(|cascade| cascade.name());
        Task::ALL.iter().map(|task| task.name()).chain(cascades)
    }

    /// With this text or none, and this region (pixels of the original image) or none, as they come
    /// from a command line. [`check`](AnyTask::check) says what is missing or superfluous.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::AnyTask;
    ///
    /// let task: AnyTask = "phrase_grounding".parse()?;
    /// assert!(task.clone().check().is_err());
    /// assert!(task.with_input(Some("a red car"), None).check().is_ok());
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    #[must_use]
    pub fn with_input(self, text: Option<&str>, region: Option<BBox>) -> Self {
        let kind = match self.kind {
            Kind::Task(request) => Kind::Task(request.with_input(text, region)),
            Kind::Cascade(request) => Kind::Cascade(request.with_input(text, region)),
            Kind::Custom(request) => Kind::Custom(request.with_input(text, region)),
        };
        Self { kind, ..self }
    }

    /// As [`Request::recognize_special_tokens`]; cascades do not take it.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::AnyTask;
    ///
    /// let task: AnyTask = "check_caption".parse()?;
    /// let task = task.with_input(Some("a car at <loc_5>"), None).recognize_special_tokens(true);
    /// assert_eq!(
    ///     task.check().unwrap_err().to_string(),
    ///     "check_caption reads its text as text: it takes no special tokens",
    /// );
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    #[must_use]
    pub fn recognize_special_tokens(self, yes: bool) -> Self {
        let kind = match self.kind {
            Kind::Task(request) => Kind::Task(request.recognize_special_tokens(yes)),
            Kind::Custom(request) => Kind::Custom(request.recognize_special_tokens(yes)),
            cascade => cascade,
        };
        Self {
            kind,
            special_tokens: yes,
            ..self
        }
    }

    /// Whether everything that it needs is there, and nothing else.
    ///
    /// # Errors
    ///
    /// A missing or superfluous text or region; special tokens where none are taken; a form of
    /// answer for a task or a cascade.
    ///
    /// # Example
    ///
    /// See [`AnyTask::with_input`].
    pub fn check(&self) -> Result<()> {
        match &self.kind {
            Kind::Custom(request) => request.question().map(drop),
            _ if self.form.is_some() => Err(Error::KnownForm {
                task: self.to_string(),
                form: self.form(),
            }),
            Kind::Task(request) => request.question().map(drop),
            Kind::Cascade(request) if self.special_tokens => Err(Error::CascadeInput {
                cascade: request.name(),
                problem: InputProblem::SpecialTokens,
            }),
            Kind::Cascade(request) => request.check(),
        }
    }

    /// The name in snake case; of a [`Custom`] question its marker.
    ///
    /// # Example
    ///
    /// ```
    /// let task: florence_tasks::AnyTask = "<OD>".parse()?;
    /// assert_eq!(task.name(), "od");
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Task(request) => request.task().name(),
            Kind::Cascade(request) => request.name().name(),
            Kind::Custom(request) => request.marker(),
        }
    }

    /// What it needs besides the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, InputKind};
    ///
    /// let task: AnyTask = "region_to_ocr".parse()?;
    /// assert_eq!(task.input(), InputKind::Region);
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn input(&self) -> InputKind {
        match &self.kind {
            Kind::Task(request) => request.task().input(),
            Kind::Cascade(request) => request.name().input(),
            Kind::Custom(_) => InputKind::None,
        }
    }

    /// Whether it takes a text or a region. A marker or prompt takes both, and needs neither.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, InputKind};
    ///
    /// let task: AnyTask = "region_to_ocr".parse()?;
    /// assert!(task.takes(InputKind::Region) && !task.takes(InputKind::Text));
    /// let marker: AnyTask = "<DocVQA>".parse()?;
    /// assert!(marker.takes(InputKind::Text));
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn takes(&self, input: InputKind) -> bool {
        matches!(self.kind, Kind::Custom(_)) || self.input() == input
    }

    /// The form of the located part of its answer: what can be drawn and exported.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, AnyTask};
    ///
    /// let task: AnyTask = "detect_and_segment".parse()?;
    /// assert_eq!(task.form(), AnswerForm::Polygons);
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn form(&self) -> AnswerForm {
        match &self.kind {
            Kind::Task(request) => request.task().form(),
            Kind::Cascade(request) => request.name().form(),
            Kind::Custom(request) => request.form(),
        }
    }

    /// The question, if one generation answers it: all but cascades.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::AnyTask;
    ///
    /// let tags: AnyTask = "<GENERATE_TAGS>".parse()?;
    /// let asked = tags.as_ask().expect("it is no cascade");
    /// assert_eq!(asked.question().unwrap().marker, "<GENERATE_TAGS>");
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn as_ask(&self) -> Option<&dyn Ask<Output = Answer>> {
        match &self.kind {
            Kind::Task(request) => Some(request),
            Kind::Custom(request) => Some(request),
            Kind::Cascade(_) => None,
        }
    }

    /// The task, if it is a published one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, Task};
    ///
    /// let task: AnyTask = "ocr".parse()?;
    /// assert_eq!(task.as_task().map(|request| request.task()), Some(Task::Ocr));
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn as_task(&self) -> Option<&Request> {
        match &self.kind {
            Kind::Task(request) => Some(request),
            _ => None,
        }
    }

    /// The cascade, if it is one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, CascadeName};
    ///
    /// let task: AnyTask = "detect_and_describe".parse()?;
    /// let cascade = task.as_cascade().map(|request| request.name());
    /// assert_eq!(cascade, Some(CascadeName::DetectAndDescribe));
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn as_cascade(&self) -> Option<&CascadeRequest> {
        match &self.kind {
            Kind::Cascade(request) => Some(request),
            _ => None,
        }
    }
}

impl From<Request> for AnyTask {
    fn from(request: Request) -> Self {
        Self::new(Kind::Task(request))
    }
}

impl From<Task> for AnyTask {
    fn from(task: Task) -> Self {
        Request::new(task).into()
    }
}

impl From<CascadeRequest> for AnyTask {
    fn from(request: CascadeRequest) -> Self {
        Self::new(Kind::Cascade(request))
    }
}

impl From<CascadeName> for AnyTask {
    fn from(cascade: CascadeName) -> Self {
        cascade.request().into()
    }
}

impl From<Custom> for AnyTask {
    fn from(custom: Custom) -> Self {
        Self::new(Kind::Custom(CustomRequest::new(custom)))
    }
}

/// The task token of a task (`<OD>`), the name of a cascade, the marker of a [`Custom`] question.
impl fmt::Display for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Task(request) => request.task().fmt(f),
            Kind::Cascade(request) => request.name().fmt(f),
            Kind::Custom(request) => f.write_str(request.marker()),
        }
    }
}

impl FromStr for AnyTask {
    type Err = UnknownAnyTask;

    fn from_str(name: &str) -> Result<Self, UnknownAnyTask> {
        if let Ok(cascade) = name.parse::<CascadeName>() {
            return Ok(cascade.into());
        }
        if let Ok(task) = name.parse::<Task>() {
            return Ok(task.into());
        }
        let unknown = UnknownAnyTask::new(name);
        if custom::is_marker(name) && unknown.suggestion.is_none() {
            return Ok(Custom::marker(name).into());
        }
        Err(unknown)
    }
}
