//! A task or a cascade by its name: what command lines and services take.

use std::fmt;
use std::str::FromStr;

use florence_core::GenerationConfig;
use florence_core::image::ImageNote;
use florence_postprocess::{
    Annotation, Answer, AnswerForm, BBox, Diagnostic, InputKind, Request, Size, Task, TextRegion,
};

use crate::ask::Ask;
use crate::cascade::{CascadeAnswer, CascadeName, CascadeRequest, Cascaded};
use crate::encoded::EncodedImage;
use crate::error::{Error, InputProblem, Result};
use crate::florence::Florence;
use crate::output::{Output, Timings};
use crate::source::ImageSource;

/// A task or a cascade, chosen by name at run time, with its text or region.
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
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Task(Request),
    Cascade(CascadeRequest),
}

impl AnyTask {
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
            cascade => cascade,
        };
        Self {
            kind,
            special_tokens: yes,
        }
    }

    /// Whether everything that it needs is there, and nothing else.
    ///
    /// # Errors
    ///
    /// A missing or superfluous text or region; special tokens where none are taken.
    ///
    /// # Example
    ///
    /// See [`AnyTask::with_input`].
    pub fn check(&self) -> Result<()> {
        match &self.kind {
            Kind::Task(request) => request.question().map(drop),
            Kind::Cascade(request) if self.special_tokens => Err(Error::CascadeInput {
                cascade: request.name(),
                problem: InputProblem::SpecialTokens,
            }),
            Kind::Cascade(request) => request.check(),
        }
    }

    /// The name in snake case.
    ///
    /// # Example
    ///
    /// ```
    /// let task: florence_tasks::AnyTask = "<OD>".parse()?;
    /// assert_eq!(task.name(), "od");
    /// # Ok::<(), florence_tasks::UnknownAnyTask>(())
    /// ```
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Task(request) => request.task().name(),
            Kind::Cascade(request) => request.name().name(),
        }
    }

    /// What it takes besides the image.
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
        }
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
        }
    }

    /// The task, unless it is a cascade.
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
            Kind::Cascade(_) => None,
        }
    }

    /// The cascade, unless it is a task.
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
            Kind::Task(_) => None,
            Kind::Cascade(request) => Some(request),
        }
    }
}

impl From<Request> for AnyTask {
    fn from(request: Request) -> Self {
        Self {
            kind: Kind::Task(request),
            special_tokens: false,
        }
    }
}

impl From<Task> for AnyTask {
    fn from(task: Task) -> Self {
        Request::new(task).into()
    }
}

impl From<CascadeRequest> for AnyTask {
    fn from(request: CascadeRequest) -> Self {
        Self {
            kind: Kind::Cascade(request),
            special_tokens: false,
        }
    }
}

impl From<CascadeName> for AnyTask {
    fn from(cascade: CascadeName) -> Self {
        cascade.request().into()
    }
}

/// The task token of a task (`<OD>`), the name of a cascade.
impl fmt::Display for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Task(request) => request.task().fmt(f),
            Kind::Cascade(request) => request.name().fmt(f),
        }
    }
}

impl FromStr for AnyTask {
    type Err = UnknownAnyTask;

    fn from_str(name: &str) -> Result<Self, UnknownAnyTask> {
        let cascade = name.parse::<CascadeName>().map(Self::from);
        let task = || name.parse::<Task>().map(Self::from);
        cascade.or_else(|_| task()).map_err(|_| UnknownAnyTask {
            name: name.to_owned(),
        })
    }
}

/// A name that neither a task nor a cascade has.
///
/// # Example
///
/// ```
/// use florence_tasks::AnyTask;
///
/// let error = "detect".parse::<AnyTask>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown task \"detect\": expected one of caption, "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown task {name:?}: expected one of {}; or a cascade, one of {}",
    list(Task::ALL.iter().map(|task| task.name())),
    list(CascadeName::ALL.iter().map(|cascade| cascade.name()))
)]
#[non_exhaustive]
pub struct UnknownAnyTask {
    /// The name.
    pub name: String,
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The output of an [`AnyTask`].
///
/// # Example
///
/// ```
/// use florence_tasks::{AnyOutput, Florence, Task};
///
/// let image = image::open("tests/data/scene.png")?;
/// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
/// assert!(!output.annotations().is_empty());
/// let AnyOutput::Task(output) = output else { unreachable!("it was a task") };
/// assert_eq!(output.task, "<OD>");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AnyOutput {
    /// Of a task.
    Task(Output<Answer>),
    /// Of a cascade.
    Cascade(CascadeName, Cascaded<CascadeAnswer>),
}

impl AnyOutput {
    /// The size of the original image in pixels, which all geometry refers to.
    ///
    /// # Example
    ///
    /// See [`AnyTask`].
    pub fn size(&self) -> Size {
        match self {
            Self::Task(output) => output.size,
            Self::Cascade(_, output) => output.size,
        }
    }

    /// Notes about the image's file; see [`Output::image_notes`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// assert!(Florence::nano()?.run_any(&Task::Od.into(), &image)?.image_notes().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn image_notes(&self) -> &[ImageNote] {
        match self {
            Self::Task(output) => &output.image_notes,
            Self::Cascade(_, output) => &output.image_notes,
        }
    }

    /// Time by stage.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let timings = Florence::nano()?.run_any(&Task::Od.into(), &image)?.timings();
    /// assert!(timings.total() > timings.vision);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timings(&self) -> Timings {
        match self {
            Self::Task(output) => output.timings,
            Self::Cascade(_, output) => output.timings,
        }
    }

    /// Parse diagnostics, of a cascade those of all its answers.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// assert_eq!(output.diagnostics().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let (own, steps) = match self {
            Self::Task(output) => (output.diagnostics.as_slice(), [].as_slice()),
            Self::Cascade(_, output) => ([].as_slice(), output.steps.as_slice()),
        };
        own.iter()
            .chain(steps.iter().flat_map(|step| &step.diagnostics))
    }

    /// Everything with a place in the image, labeled.
    ///
    /// # Example
    ///
    /// See [`AnyOutput`].
    pub fn annotations(&self) -> Vec<Annotation> {
        match self {
            Self::Task(output) => Annotation::from_answer(&output.value),
            Self::Cascade(_, output) => output.value.annotations(),
        }
    }

    /// The text regions of an OCR answer; empty for everything else.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// assert!(Florence::nano()?.run_any(&Task::Od.into(), &image)?.text_regions().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text_regions(&self) -> &[TextRegion] {
        match self {
            Self::Task(output) => output.value.text_regions(),
            Self::Cascade(..) => &[],
        }
    }
}

#[cfg(feature = "draw")]
impl florence_draw::Marks for AnyOutput {
    fn marks(&self) -> Vec<florence_draw::Mark> {
        match self {
            Self::Task(output) => output.marks(),
            Self::Cascade(_, output) => output.value.marks(),
        }
    }
}

impl EncodedImage {
    /// Runs a task or cascade chosen by name.
    ///
    /// # Errors
    ///
    /// As [`EncodedImage::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let task: AnyTask = "detect_and_describe".parse()?;
    /// assert!(!photo.run_any(&task)?.annotations().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any(&self, task: &AnyTask) -> Result<AnyOutput> {
        self.run_any_with(task, self.generation())
    }

    /// As [`run_any`](EncodedImage::run_any), with these options.
    ///
    /// # Errors
    ///
    /// As [`EncodedImage::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let florence = Florence::nano()?;
    /// let photo = florence.encode(&image::open("tests/data/scene.png")?)?;
    /// let greedy = florence.generation().clone().num_beams(1);
    /// assert!(photo.run_any_with(&Task::Od.into(), &greedy).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any_with(&self, task: &AnyTask, options: &GenerationConfig) -> Result<AnyOutput> {
        task.check()?;
        match &task.kind {
            Kind::Task(request) => Ok(AnyOutput::Task(self.run_with(request, options)?)),
            Kind::Cascade(request) => {
                let output = self.cascade_with(request, options)?;
                Ok(AnyOutput::Cascade(request.name(), output))
            }
        }
    }
}

impl Florence {
    /// Runs a task or cascade chosen by name on an image.
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// See [`AnyTask`].
    pub fn run_any<I: ImageSource + ?Sized>(&self, task: &AnyTask, image: &I) -> Result<AnyOutput> {
        // Refused before the vision tower runs, where that is possible.
        task.check()?;
        self.encode(image)?.run_any(task)
    }

    /// Runs a task or cascade chosen by name on several images, with these options; a result for
    /// each, in order. Images are encoded together, and a task is answered in one batch.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnyTask, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let images = [image::open("tests/data/scene.png")?, image::DynamicImage::new_rgb8(0, 0)];
    /// let task: AnyTask = "od".parse()?;
    /// let outputs = florence.run_any_batch(&task, &images, florence.generation());
    /// assert!(outputs[0].is_ok());
    /// assert!(outputs[1].is_err()); // it has no pixels
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_any_batch<I: ImageSource>(
        &self,
        task: &AnyTask,
        images: &[I],
        options: &GenerationConfig,
    ) -> Vec<Result<AnyOutput>> {
        let encoded = self.encode_batch(images);
        let Kind::Task(request) = &task.kind else {
            let outputs = encoded.into_iter();
            return outputs
                .map(|image| image?.run_any_with(task, options))
                .collect();
        };
        let whole = encoded.iter().filter_map(|image| image.as_ref().ok());
        let questions = whole.map(|image| (request, image));
        let mut outputs = self.run_batch_with(questions, options).into_iter();
        let all = encoded.into_iter().filter_map(|image| match image {
            Ok(_) => outputs.next().map(|output| output.map(AnyOutput::Task)),
            Err(error) => Some(Err(error)),
        });
        all.collect()
    }
}
