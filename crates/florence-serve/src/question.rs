//! Questions of the API.

use florence_tasks::{AnswerForm, AnyTask, BBox, CaptionLength, CascadeName, InputKind, Task};
use serde::Deserialize;

use crate::error::ApiError;
use crate::limits::Limits;
use crate::truncate::Quoted;

/// A question in a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The name or token of a task, the name of a cascade, or the marker of a fine-tune.
    #[serde(default)]
    task: Option<String>,
    /// A prompt that is sent as it is, instead of a task.
    #[serde(default)]
    prompt: Option<String>,
    /// How the answer to a marker or prompt is parsed.
    #[serde(default)]
    answer: Option<String>,
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
    /// A question whose input comes as text: a region is `x1,y1,x2,y2`.
    ///
    /// # Errors
    ///
    /// When a task that takes a region gets another text.
    pub(crate) fn from_text(task: &str, input: &str) -> Result<Self, ApiError> {
        let kind = named(task).map(|task| task.input());
        let is_region = matches!(kind, Ok(InputKind::Region)) && !input.is_empty();
        let region = is_region.then(|| region(task, input)).transpose()?;
        let text = (!is_region && !input.is_empty()).then(|| input.to_owned());
        Ok(Self {
            task: Some(task.to_owned()),
            prompt: None,
            answer: None,
            text,
            region,
            special_tokens: false,
        })
    }

    /// # Errors
    ///
    /// When there is no such task, or its input is missing or superfluous.
    pub(crate) fn check(&self, limits: &Limits) -> Result<AnyTask, ApiError> {
        let (name, task) = match (&self.task, &self.prompt) {
            (Some(name), None) => (&**name, named(name)?),
            (None, Some(prompt)) => ("prompt", AnyTask::prompt(prompt)),
            _ => {
                let expected = "expected either `task` or `prompt`";
                return Err(ApiError::invalid_question(expected));
            }
        };
        let texts = [self.text.as_ref(), self.prompt.as_ref()];
        let is_long = |text: &String| text.chars().nth(limits.max_text).is_some();
        if texts.into_iter().flatten().any(is_long) {
            return Err(ApiError::invalid_question(format_args!(
                "the text of {} is longer than {} characters",
                Quoted(name),
                limits.max_text
            )));
        }
        if self.special_tokens && self.text.is_none() {
            return Err(ApiError::invalid_question(format_args!(
                "special_tokens: {} is asked without a text",
                Quoted(name)
            )));
        }
        let task = match &self.answer {
            Some(form) => task.answer(form.parse().map_err(|_| unknown_form(form))?),
            None => task,
        };
        let task = task
            .with_input(self.text.as_deref(), self.region.map(BBox::from))
            .recognize_special_tokens(self.special_tokens);
        task.check()?;
        Ok(task)
    }
}

fn unknown_form(name: &str) -> ApiError {
    let forms: Vec<&str> = AnswerForm::ALL.iter().map(|form| form.as_str()).collect();
    ApiError::invalid_question(format_args!(
        "answer {}: expected one of {}",
        Quoted(name),
        forms.join(", ")
    ))
}

fn region(task: &str, text: &str) -> Result<[f32; 4], ApiError> {
    let mut numbers = text.split(',').map(|number| number.trim().parse());
    let mut next = || numbers.next().and_then(Result::ok);
    match ([next(), next(), next(), next()], numbers.next()) {
        ([Some(x1), Some(y1), Some(x2), Some(y2)], None) => Ok([x1, y1, x2, y2]),
        _ => Err(ApiError::invalid_question(format_args!(
            "the region {} of {task}: expected x1,y1,x2,y2, four numbers in pixels of the photo",
            Quoted(text)
        ))),
    }
}

/// Maximum bytes of a name: the parser compares it with all that there are.
const MAX_NAME: usize = 64;

/// The task, the cascade or the marker of a fine-tune that has this name.
///
/// # Errors
///
/// When nothing has it, or it is a typing error away from a task.
pub(crate) fn named(name: &str) -> Result<AnyTask, ApiError> {
    let parsed = (name.len() <= MAX_NAME).then(|| name.parse::<AnyTask>());
    let suggestion = match parsed {
        Some(Ok(task)) => return Ok(task),
        Some(Err(unknown)) => unknown.suggestion,
        None => None,
    };
    Err(match suggestion {
        Some(meant) => ApiError::invalid_question(format_args!(
            "unknown task {}: did you mean {meant}?",
            Quoted(name)
        )),
        None => {
            let names: Vec<&str> = AnyTask::names().collect();
            ApiError::invalid_question(format_args!(
                "unknown task {}: expected one of {}",
                Quoted(name),
                names.join(", ")
            ))
        }
    })
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
