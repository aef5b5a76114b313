//! What can be asked over the API: tasks, and cascades of them.

use florence_tasks::{
    Ask, BBox, CaptionAndCheck, CaptionAndGround, CaptionLength, Cascaded, DetectAndDescribe,
    DetectAndSegment, EncodedImage, GenerationConfig, InputKind, Request, Task,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::brief::Quoted;
use crate::error::ApiError;
use crate::limits::Limits;

/// A question as clients write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The name or marker of a task, or the name of a cascade.
    task: String,
    #[serde(default)]
    text: Option<String>,
    /// `x1, y1, x2, y2` in pixels.
    #[serde(default)]
    region: Option<[f32; 4]>,
}

/// How the answers are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default)]
    num_beams: Option<usize>,
    #[serde(default)]
    max_new_tokens: Option<usize>,
}

impl Options {
    /// # Errors
    ///
    /// When an option is out of range.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), ApiError> {
        for (name, value, max) in [
            ("num_beams", self.num_beams, limits.max_beams),
            ("max_new_tokens", self.max_new_tokens, limits.max_new_tokens),
        ] {
            if let Some(value) = value
                && !(1..=max).contains(&value)
            {
                let message = format!("{name} is {value}, expected 1 to {max}");
                return Err(ApiError::bad_question(message));
            }
        }
        Ok(())
    }

    pub(crate) fn apply(&self, defaults: &GenerationConfig, limits: &Limits) -> GenerationConfig {
        GenerationConfig {
            num_beams: self
                .num_beams
                .unwrap_or(defaults.num_beams.min(limits.max_beams)),
            max_new_tokens: self
                .max_new_tokens
                .unwrap_or(defaults.max_new_tokens.min(limits.max_new_tokens)),
            ..defaults.clone()
        }
    }
}

/// A question that can be asked.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    Task(Request),
    Cascade(Cascade),
}

impl Question {
    /// # Errors
    ///
    /// When there is no such task, or something that it needs is missing or superfluous.
    pub(crate) fn new(asked: &Asked, limits: &Limits) -> Result<Self, ApiError> {
        if let Some(text) = &asked.text
            && text.chars().nth(limits.max_text).is_some()
        {
            return Err(ApiError::bad_question(format_args!(
                "the text of {} is longer than {} characters",
                Quoted(&asked.task),
                limits.max_text
            )));
        }
        if let Some(cascade) = Cascade::ALL.iter().find(|one| one.name() == asked.task) {
            if asked.text.is_some() || asked.region.is_some() {
                return Err(ApiError::bad_question(format!(
                    "{} takes neither text nor region: it is about the photo as a whole",
                    asked.task
                )));
            }
            return Ok(Self::Cascade(*cascade));
        }
        let task: Task = asked.task.parse().map_err(|_| unknown(&asked.task))?;
        let request = Request::new(task).with(asked.text.as_deref(), asked.region.map(BBox::from));
        request.question()?;
        Ok(Self::Task(request))
    }
}

fn unknown(name: &str) -> ApiError {
    let tasks = Task::ALL.iter().map(|task| task.name());
    let cascades = Cascade::ALL.iter().map(|cascade| cascade.name());
    let names: Vec<&str> = tasks.chain(cascades).collect();
    ApiError::bad_question(format_args!(
        "unknown task {}: expected one of {}",
        Quoted(name),
        names.join(", ")
    ))
}

/// A series of questions with one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cascade {
    CaptionAndGround(CaptionLength),
    CaptionAndCheck(CaptionLength),
    DetectAndDescribe,
    DetectAndSegment,
}

impl Cascade {
    pub(crate) const ALL: [Self; 8] = [
        Self::CaptionAndGround(CaptionLength::Sentence),
        Self::CaptionAndGround(CaptionLength::Detailed),
        Self::CaptionAndGround(CaptionLength::Paragraph),
        Self::CaptionAndCheck(CaptionLength::Sentence),
        Self::CaptionAndCheck(CaptionLength::Detailed),
        Self::CaptionAndCheck(CaptionLength::Paragraph),
        Self::DetectAndDescribe,
        Self::DetectAndSegment,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CaptionAndGround(CaptionLength::Sentence) => "caption_and_ground",
            Self::CaptionAndGround(CaptionLength::Detailed) => "detailed_caption_and_ground",
            Self::CaptionAndGround(CaptionLength::Paragraph) => "more_detailed_caption_and_ground",
            Self::CaptionAndCheck(CaptionLength::Sentence) => "caption_checked",
            Self::CaptionAndCheck(CaptionLength::Detailed) => "detailed_caption_checked",
            Self::CaptionAndCheck(CaptionLength::Paragraph) => "more_detailed_caption_checked",
            Self::DetectAndDescribe => "detect_and_describe",
            Self::DetectAndSegment => "detect_and_segment",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CaptionAndGround(CaptionLength::Sentence) => "Caption with boxes",
            Self::CaptionAndGround(CaptionLength::Detailed) => "Detailed caption with boxes",
            Self::CaptionAndGround(CaptionLength::Paragraph) => "Paragraph with boxes",
            Self::CaptionAndCheck(CaptionLength::Sentence) => "Caption, checked",
            Self::CaptionAndCheck(CaptionLength::Detailed) => "Detailed caption, checked",
            Self::CaptionAndCheck(CaptionLength::Paragraph) => "Paragraph, checked",
            Self::DetectAndDescribe => "Objects, described",
            Self::DetectAndSegment => "Objects, outlined",
        }
    }

    /// The answer, as `{"form", "value"}`, and the answers that it was made of.
    pub(crate) fn run(
        self,
        photo: &EncodedImage,
        options: &GenerationConfig,
    ) -> florence_tasks::Result<Cascaded<Value>> {
        match self {
            Self::CaptionAndGround(length) => {
                let answer = photo.cascade_with(CaptionAndGround(length), options)?;
                Ok(with_form("grounded_caption", answer))
            }
            Self::CaptionAndCheck(length) => {
                let answer = photo.cascade_with(CaptionAndCheck::new(length), options)?;
                Ok(with_form("checked_caption", answer))
            }
            Self::DetectAndDescribe => {
                let answer = photo.cascade_with(DetectAndDescribe, options)?;
                Ok(with_form("described", answer))
            }
            Self::DetectAndSegment => {
                let answer = photo.cascade_with(DetectAndSegment, options)?;
                Ok(with_form("segmented", answer))
            }
        }
    }
}

fn with_form(form: &str, answer: Cascaded<impl Serialize>) -> Cascaded<Value> {
    Cascaded {
        value: serde_json::json!({ "form": form, "value": json(&answer.value) }),
        steps: answer.steps,
    }
}

/// What the library serialises has string keys and finite or null numbers.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// The title of a task on the page.
pub(crate) fn title(task: Task) -> &'static str {
    match task {
        Task::Caption => "Caption",
        Task::DetailedCaption => "Detailed caption",
        Task::MoreDetailedCaption => "Paragraph",
        Task::Ocr => "Text",
        Task::OcrWithRegion => "Text with places",
        Task::Od => "Objects",
        Task::DenseRegionCaption => "Regions with captions",
        Task::RegionProposal => "Regions",
        Task::PhraseGrounding => "Places of phrases",
        Task::ReferringSegmentation => "Outline of a phrase",
        Task::RegionToSegmentation => "Outline in a region",
        Task::OpenVocabularyDetection => "Things by name",
        Task::RegionToCategory => "What a region is",
        Task::RegionToDescription => "What a region shows",
        Task::RegionToOcr => "Text in a region",
    }
}

/// What a task takes, as the API says it.
pub(crate) fn input(task: Task) -> &'static str {
    match task.input() {
        InputKind::None => "none",
        InputKind::Text => "text",
        InputKind::Region => "region",
    }
}
