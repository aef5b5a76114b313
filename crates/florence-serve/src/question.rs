//! What can be asked over the API: tasks, and cascades of them.

use florence_tasks::{
    Ask, BBox, CaptionLength, CascadeName, CascadeRequest, GenerationConfig, InputKind, Request,
    Task,
};
use serde::Deserialize;

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
    /// Whether special tokens in the text, such as `<loc_5>`, are read as tokens.
    #[serde(default)]
    special_tokens: bool,
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
    Cascade(CascadeRequest),
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
        if asked.special_tokens && asked.text.is_none() {
            return Err(ApiError::bad_question(format_args!(
                "special_tokens: {} is asked without a text to read them in",
                Quoted(&asked.task)
            )));
        }
        let (text, region) = (asked.text.as_deref(), asked.region.map(BBox::from));
        if let Ok(cascade) = asked.task.parse::<CascadeName>() {
            if asked.special_tokens {
                return Err(ApiError::bad_question(format_args!(
                    "special_tokens: {cascade} reads its text as text"
                )));
            }
            let request = cascade.request().with_input(text, region);
            request.check()?;
            return Ok(Self::Cascade(request));
        }
        let task: Task = asked.task.parse().map_err(|_| unknown(&asked.task))?;
        let request = Request::new(task)
            .with_input(text, region)
            .recognize_special_tokens(asked.special_tokens);
        request.question()?;
        Ok(Self::Task(request))
    }
}

fn unknown(name: &str) -> ApiError {
    let tasks = Task::ALL.iter().map(|task| task.name());
    let cascades = CascadeName::ALL.iter().map(|cascade| cascade.name());
    let names: Vec<&str> = tasks.chain(cascades).collect();
    ApiError::bad_question(format_args!(
        "unknown task {}: expected one of {}",
        Quoted(name),
        names.join(", ")
    ))
}

/// The title of a cascade on the page.
pub(crate) fn cascade_title(cascade: CascadeName) -> &'static str {
    match cascade {
        CascadeName::CaptionAndGround(CaptionLength::Sentence) => "Caption with boxes",
        CascadeName::CaptionAndGround(CaptionLength::Detailed) => "Detailed caption with boxes",
        CascadeName::CaptionAndGround(CaptionLength::Paragraph) => "Paragraph with boxes",
        CascadeName::CaptionAndCheck(CaptionLength::Sentence) => "Caption, checked",
        CascadeName::CaptionAndCheck(CaptionLength::Detailed) => "Detailed caption, checked",
        CascadeName::CaptionAndCheck(CaptionLength::Paragraph) => "Paragraph, checked",
        CascadeName::CheckCaption => "Check it as a caption",
        CascadeName::DetectAndDescribe => "Objects, described",
        CascadeName::DetectAndSegment => "Objects, outlined",
    }
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
        _ => task.name(),
    }
}

/// What a task or a cascade takes, as the API says it.
pub(crate) fn input(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Text => "text",
        InputKind::Region => "region",
        _ => "none",
    }
}
