//! Questions of the API.

use florence_tasks::{AnyTask, BBox, CaptionLength, CascadeName, InputKind, Task};
use serde::Deserialize;

use crate::error::ApiError;
use crate::limits::Limits;
use crate::truncate::Quoted;

/// A question in a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The name or token of a task, or the name of a cascade.
    task: String,
    #[serde(default)]
    text: Option<String>,
    /// `x1, y1, x2, y2` in pixels.
    #[serde(default)]
    region: Option<[f32; 4]>,
    /// Whether special tokens in the text, such as `<loc_5>`, are parsed as tokens.
    #[serde(default)]
    special_tokens: bool,
}

impl Question {
    /// # Errors
    ///
    /// When there is no such task, or its input is missing or superfluous.
    pub(crate) fn check(&self, limits: &Limits) -> Result<AnyTask, ApiError> {
        if let Some(text) = &self.text
            && text.chars().nth(limits.max_text).is_some()
        {
            return Err(ApiError::invalid_question(format_args!(
                "the text of {} is longer than {} characters",
                Quoted(&self.task),
                limits.max_text
            )));
        }
        if self.special_tokens && self.text.is_none() {
            return Err(ApiError::invalid_question(format_args!(
                "special_tokens: {} is asked without a text",
                Quoted(&self.task)
            )));
        }
        let task: Result<AnyTask, _> = self.task.parse();
        let task = task.map_err(|_| unknown(&self.task))?;
        let task = task
            .with_input(self.text.as_deref(), self.region.map(BBox::from))
            .recognize_special_tokens(self.special_tokens);
        task.check()?;
        Ok(task)
    }
}

fn unknown(name: &str) -> ApiError {
    let names: Vec<&str> = AnyTask::names().collect();
    ApiError::invalid_question(format_args!(
        "unknown task {}: expected one of {}",
        Quoted(name),
        names.join(", ")
    ))
}

/// The title of a cascade on the page.
pub(crate) fn cascade_title(cascade: CascadeName) -> &'static str {
    match cascade {
        CascadeName::CaptionAndGround(CaptionLength::Sentence) => "Caption and grounding",
        CascadeName::CaptionAndGround(CaptionLength::Detailed) => "Detailed caption and grounding",
        CascadeName::CaptionAndGround(CaptionLength::Paragraph) => {
            "More detailed caption and grounding"
        }
        CascadeName::CaptionAndCheck(CaptionLength::Sentence) => "Checked caption",
        CascadeName::CaptionAndCheck(CaptionLength::Detailed) => "Checked detailed caption",
        CascadeName::CaptionAndCheck(CaptionLength::Paragraph) => "Checked more detailed caption",
        CascadeName::CheckCaption => "Caption check",
        CascadeName::DetectAndDescribe => "Detection and description",
        CascadeName::DetectAndSegment => "Detection and segmentation",
        other => other.name(),
    }
}

/// The title of a task on the page.
pub(crate) fn title(task: Task) -> &'static str {
    match task {
        Task::Caption => "Caption",
        Task::DetailedCaption => "Detailed caption",
        Task::MoreDetailedCaption => "More detailed caption",
        Task::Ocr => "OCR",
        Task::OcrWithRegion => "OCR with regions",
        Task::Od => "Object detection",
        Task::DenseRegionCaption => "Dense region captions",
        Task::RegionProposal => "Region proposals",
        Task::PhraseGrounding => "Phrase grounding",
        Task::ReferringSegmentation => "Referring segmentation",
        Task::RegionToSegmentation => "Region segmentation",
        Task::OpenVocabularyDetection => "Open-vocabulary detection",
        Task::RegionToCategory => "Region category",
        Task::RegionToDescription => "Region description",
        Task::RegionToOcr => "Region OCR",
        _ => task.name(),
    }
}

/// The input of a task or a cascade, in the API's words.
pub(crate) fn input(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Text => "text",
        InputKind::Region => "region",
        _ => "none",
    }
}
