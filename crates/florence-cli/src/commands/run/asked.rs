//! What `florence run` asks, and what comes back: a task with its answer, or a cascade with its own.

use std::fmt;

use florence_core::image::ImageNote;
use florence_postprocess::Annotation;
use florence_tasks::draw::{Mark, Marks};
use florence_tasks::{
    Answer, AnswerForm, Ask, BBox, CascadeAnswer, CascadeName, CascadeRequest, Cascaded,
    EncodedImage, Florence, GenerationConfig, Output, PreparedImage, Request, Result, Size, Task,
    TextRegion,
};

use crate::args::RunArgs;
use crate::failure::Failure;

/// A task or a cascade, with its text and region.
#[derive(Debug)]
pub(super) enum Asked {
    Task(Request),
    Cascade(CascadeRequest),
}

impl Asked {
    /// What the arguments ask. What is wrong with it is said before a model is loaded.
    pub(super) fn new(args: &RunArgs) -> Result<Self, Failure> {
        let region = args.region.as_deref().map(region).transpose()?;
        let text = args.text.as_deref();
        let Ok(cascade) = args.task.parse::<CascadeName>() else {
            let task: Task = args.task.parse().map_err(|_| unknown(&args.task))?;
            let request = Request::new(task)
                .with_input(text, region)
                .recognize_special_tokens(args.special_tokens);
            request.question()?;
            return Ok(Self::Task(request));
        };
        if args.special_tokens {
            return Err(Failure::Usage(format!(
                "--special-tokens: {cascade} reads its text as text"
            )));
        }
        let request = cascade.request().with_input(text, region);
        request.check()?;
        Ok(Self::Cascade(request))
    }

    /// The form of what the answer gives a place in the image to.
    pub(super) fn form(&self) -> AnswerForm {
        match self {
            Self::Task(request) => request.task().form(),
            Self::Cascade(request) => match request.name() {
                CascadeName::DetectAndDescribe => AnswerForm::Boxes,
                CascadeName::DetectAndSegment => AnswerForm::Polygons,
                CascadeName::CaptionAndGround(_)
                | CascadeName::CaptionAndCheck(_)
                | CascadeName::CheckCaption => AnswerForm::Phrases,
            },
        }
    }

    /// Why an answer cannot be drawn or exported, if it cannot.
    pub(super) fn no_place(&self) -> Option<String> {
        let is_text = self.form() == AnswerForm::Text;
        is_text.then(|| format!("{self} answers with text, which has no place in the image"))
    }

    /// Asks about all images, which are encoded together; an answer or an error for each.
    pub(super) fn ask(
        &self,
        florence: &Florence,
        images: &[&PreparedImage],
        options: &GenerationConfig,
    ) -> Vec<Result<Answered>> {
        let encoded = florence.encode_each(images);
        match self {
            Self::Task(request) => {
                let whole = encoded.iter().filter_map(|image| image.as_ref().ok());
                let questions = whole.map(|image| (request, image));
                let together = florence.run_batch_with(questions, options);
                let mut together = together.ok().map(Vec::into_iter);
                let answer = |image: Result<EncodedImage>| {
                    let image = image?;
                    Ok(Answered::Task(
                        match together.as_mut().and_then(Iterator::next) {
                            Some(output) => output,
                            None => image.run_with(request, options)?,
                        },
                    ))
                };
                encoded.into_iter().map(answer).collect()
            }
            Self::Cascade(request) => {
                let answer = |image: Result<EncodedImage>| {
                    let image = image?;
                    Ok(Answered::Cascade(AnsweredCascade {
                        name: request.name(),
                        size: image.size(),
                        notes: image.notes().to_vec(),
                        answer: image.cascade_with(request, options)?,
                    }))
                };
                encoded.into_iter().map(answer).collect()
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(request) => request.task().fmt(f),
            Self::Cascade(request) => request.name().fmt(f),
        }
    }
}

/// An answer about an image.
#[derive(Debug)]
pub(super) enum Answered {
    Task(Output<Answer>),
    Cascade(AnsweredCascade),
}

/// An answer to a cascade, and what a task's answer says by itself.
#[derive(Debug)]
pub(super) struct AnsweredCascade {
    pub(super) name: CascadeName,
    pub(super) size: Size,
    pub(super) notes: Vec<ImageNote>,
    pub(super) answer: Cascaded<CascadeAnswer>,
}

impl Answered {
    /// The size of the image in pixels.
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Task(output) => output.size,
            Self::Cascade(cascade) => cascade.size,
        }
    }

    /// What there is to say about the file of the image.
    pub(super) fn image_notes(&self) -> &[ImageNote] {
        match self {
            Self::Task(output) => &output.image_notes,
            Self::Cascade(cascade) => &cascade.notes,
        }
    }

    /// What of it can be exported.
    pub(super) fn annotations(&self) -> Vec<Annotation> {
        match self {
            Self::Task(output) => Annotation::from_answer(output),
            Self::Cascade(cascade) => cascade.answer.annotations(),
        }
    }

    /// Its lines of text with their places.
    pub(super) fn text_regions(&self) -> &[TextRegion] {
        match self {
            Self::Task(output) => output.text_regions(),
            Self::Cascade(_) => &[],
        }
    }
}

impl Marks for Answered {
    fn marks(&self) -> Vec<Mark> {
        match self {
            Self::Task(output) => output.marks(),
            Self::Cascade(cascade) => cascade.answer.value.marks(),
        }
    }
}

fn region(text: &str) -> Result<BBox, Failure> {
    let numbers = text
        .split(',')
        .map(|number| number.trim().parse::<f32>())
        .collect::<Result<Vec<_>, _>>();
    match numbers.as_deref() {
        Ok(&[x1, y1, x2, y2]) => Ok(BBox { x1, y1, x2, y2 }),
        _ => Err(Failure::Usage(format!(
            "--region {text:?}: expected x1,y1,x2,y2, four numbers in pixels of the image"
        ))),
    }
}

fn unknown(name: &str) -> Failure {
    let tasks: Vec<&str> = Task::ALL.iter().map(|task| task.name()).collect();
    let tasks = tasks.join(", ");
    let cascades = CascadeName::ALL.map(CascadeName::name).join(", ");
    Failure::Usage(format!(
        "unknown task {name:?}: expected one of {tasks}; or a cascade, one of {cascades}"
    ))
}
