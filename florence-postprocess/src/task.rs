//! The fifteen tasks: tokens, prompts, inputs and answer forms.

use std::fmt;
use std::str::FromStr;

use crate::form::AnswerForm;

/// One of the fifteen tasks that Florence-2 was trained for, with its prompt and the form of its
/// answers.
///
/// [`with_text`](Task::with_text) and [`with_region`](Task::with_region) add the input that a task
/// needs; [`Request::to_prompt`](crate::Request::to_prompt) writes the prompt.
///
/// Printed and serialized as its task token (`<OD>`), parsed from that or from its
/// [`name`](Task::name), in any case, with `_` or `-`.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, InputKind, Task};
///
/// let task: Task = "<OCR_WITH_REGION>".parse()?;
/// assert_eq!(task, Task::OcrWithRegion);
/// assert_eq!(task.prompt_template(), "What is the text in the image, with regions?");
/// assert_eq!(task.input(), InputKind::None);
/// assert_eq!(task.form(), AnswerForm::Quads);
/// for name in ["phrase_grounding", "phrase-grounding", "caption_to_phrase_grounding"] {
///     assert_eq!(name.parse::<Task>()?, Task::PhraseGrounding);
/// }
/// # Ok::<(), florence_postprocess::UnknownTask>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Task {
    /// A caption of one sentence.
    Caption,
    /// A caption of a few sentences.
    DetailedCaption,
    /// A caption of a paragraph.
    MoreDetailedCaption,
    /// The text in the image.
    Ocr,
    /// The text in the image, line by line, with a quad each.
    OcrWithRegion,
    /// Object detection: boxes with category names.
    Od,
    /// Boxes with descriptions.
    DenseRegionCaption,
    /// Boxes without labels.
    RegionProposal,
    /// The boxes of the phrases of a caption.
    PhraseGrounding,
    /// The outline of what an expression refers to.
    ReferringSegmentation,
    /// The outline of the object in a region.
    RegionToSegmentation,
    /// Detection of objects by free-form names.
    OpenVocabularyDetection,
    /// The category of the object in a region.
    RegionToCategory,
    /// A description of a region.
    RegionToDescription,
    /// The text in a region.
    RegionToOcr,
}

/// The input of a task besides the image.
///
/// # Example
///
/// ```
/// use florence_postprocess::{InputKind, Task};
///
/// assert_eq!(Task::RegionToOcr.input(), InputKind::Region);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum InputKind {
    /// None.
    None,
    /// Text: a caption, an expression, or names.
    Text,
    /// A box in the image.
    Region,
}

impl Task {
    /// All tasks.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// assert_eq!(Task::ALL.len(), 15);
    /// for task in Task::ALL {
    ///     assert_eq!(task.as_str().parse(), Ok(*task));
    ///     assert_eq!(task.name().parse(), Ok(*task));
    /// }
    /// ```
    pub const ALL: &'static [Task] = &[
        Task::Caption,
        Task::DetailedCaption,
        Task::MoreDetailedCaption,
        Task::Ocr,
        Task::OcrWithRegion,
        Task::Od,
        Task::DenseRegionCaption,
        Task::RegionProposal,
        Task::PhraseGrounding,
        Task::ReferringSegmentation,
        Task::RegionToSegmentation,
        Task::OpenVocabularyDetection,
        Task::RegionToCategory,
        Task::RegionToDescription,
        Task::RegionToOcr,
    ];

    /// The task token of the reference processors, such as `<OD>`. It is not part of the prompt:
    /// [`prompt_template`](Task::prompt_template) is.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// assert_eq!(Task::ReferringSegmentation.as_str(), "<REFERRING_EXPRESSION_SEGMENTATION>");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Task::Caption => "<CAPTION>",
            Task::DetailedCaption => "<DETAILED_CAPTION>",
            Task::MoreDetailedCaption => "<MORE_DETAILED_CAPTION>",
            Task::Ocr => "<OCR>",
            Task::OcrWithRegion => "<OCR_WITH_REGION>",
            Task::Od => "<OD>",
            Task::DenseRegionCaption => "<DENSE_REGION_CAPTION>",
            Task::RegionProposal => "<REGION_PROPOSAL>",
            Task::PhraseGrounding => "<CAPTION_TO_PHRASE_GROUNDING>",
            Task::ReferringSegmentation => "<REFERRING_EXPRESSION_SEGMENTATION>",
            Task::RegionToSegmentation => "<REGION_TO_SEGMENTATION>",
            Task::OpenVocabularyDetection => "<OPEN_VOCABULARY_DETECTION>",
            Task::RegionToCategory => "<REGION_TO_CATEGORY>",
            Task::RegionToDescription => "<REGION_TO_DESCRIPTION>",
            Task::RegionToOcr => "<REGION_TO_OCR>",
        }
    }

    /// The name in snake case, such as `od`.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// assert_eq!(Task::ReferringSegmentation.name(), "referring_segmentation");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Task::Caption => "caption",
            Task::DetailedCaption => "detailed_caption",
            Task::MoreDetailedCaption => "more_detailed_caption",
            Task::Ocr => "ocr",
            Task::OcrWithRegion => "ocr_with_region",
            Task::Od => "od",
            Task::DenseRegionCaption => "dense_region_caption",
            Task::RegionProposal => "region_proposal",
            Task::PhraseGrounding => "phrase_grounding",
            Task::ReferringSegmentation => "referring_segmentation",
            Task::RegionToSegmentation => "region_to_segmentation",
            Task::OpenVocabularyDetection => "open_vocabulary_detection",
            Task::RegionToCategory => "region_to_category",
            Task::RegionToDescription => "region_to_description",
            Task::RegionToOcr => "region_to_ocr",
        }
    }

    /// The prompt, with `{input}` in place of the text or the four location tokens: the wording of
    /// Microsoft's `processing_florence2.py`, the only one that the model was trained on.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Task;
    ///
    /// assert_eq!(Task::Od.prompt_template(), "Locate the objects with category name in the image.");
    /// assert_eq!(Task::RegionToCategory.prompt_template(), "What is the region {input}?");
    /// ```
    pub const fn prompt_template(self) -> &'static str {
        match self {
            Task::Caption => "What does the image describe?",
            Task::DetailedCaption => "Describe in detail what is shown in the image.",
            Task::MoreDetailedCaption => "Describe with a paragraph what is shown in the image.",
            Task::Ocr => "What is the text in the image?",
            Task::OcrWithRegion => "What is the text in the image, with regions?",
            Task::Od => "Locate the objects with category name in the image.",
            Task::DenseRegionCaption => "Locate the objects in the image, with their descriptions.",
            Task::RegionProposal => "Locate the region proposals in the image.",
            Task::PhraseGrounding => "Locate the phrases in the caption: {input}",
            Task::ReferringSegmentation => "Locate {input} in the image with mask",
            Task::RegionToSegmentation => "What is the polygon mask of region {input}",
            Task::OpenVocabularyDetection => "Locate {input} in the image.",
            Task::RegionToCategory => "What is the region {input}?",
            Task::RegionToDescription => "What does the region {input} describe?",
            Task::RegionToOcr => "What text is in the region {input}?",
        }
    }

    /// The input of the task besides the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{InputKind, Task};
    ///
    /// let alone = Task::ALL.iter().filter(|task| task.input() == InputKind::None);
    /// assert_eq!(alone.count(), 8);
    /// ```
    pub const fn input(self) -> InputKind {
        match self {
            Task::Caption
            | Task::DetailedCaption
            | Task::MoreDetailedCaption
            | Task::Ocr
            | Task::OcrWithRegion
            | Task::Od
            | Task::DenseRegionCaption
            | Task::RegionProposal => InputKind::None,
            Task::PhraseGrounding | Task::ReferringSegmentation | Task::OpenVocabularyDetection => {
                InputKind::Text
            }
            Task::RegionToSegmentation
            | Task::RegionToCategory
            | Task::RegionToDescription
            | Task::RegionToOcr => InputKind::Region,
        }
    }

    /// The form of the answers.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{AnswerForm, Task};
    ///
    /// assert_eq!(Task::OcrWithRegion.form(), AnswerForm::Quads);
    /// ```
    pub const fn form(self) -> AnswerForm {
        match self {
            Task::Caption
            | Task::DetailedCaption
            | Task::MoreDetailedCaption
            | Task::Ocr
            | Task::RegionToCategory
            | Task::RegionToDescription
            | Task::RegionToOcr => AnswerForm::Text,
            Task::OcrWithRegion => AnswerForm::Quads,
            Task::Od | Task::DenseRegionCaption => AnswerForm::Boxes,
            Task::RegionProposal => AnswerForm::Proposals,
            Task::PhraseGrounding => AnswerForm::Phrases,
            Task::ReferringSegmentation | Task::RegionToSegmentation => AnswerForm::Polygons,
            Task::OpenVocabularyDetection => AnswerForm::BoxesOrPolygons,
        }
    }
}

impl AnswerForm {
    /// The form of the answers to a task, by its token or name; `None` for a task that is not one
    /// of the fifteen.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::AnswerForm;
    ///
    /// assert_eq!(AnswerForm::from_task("<OD>"), Some(AnswerForm::Boxes));
    /// assert_eq!(AnswerForm::from_task("ocr_with_region"), Some(AnswerForm::Quads));
    /// assert_eq!(AnswerForm::from_task("<GENERATE_TAGS>"), None);
    /// ```
    pub fn from_task(task: &str) -> Option<Self> {
        task.parse::<Task>().ok().map(Task::form)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of no [`Task`].
///
/// # Example
///
/// ```
/// use florence_postprocess::Task;
///
/// let error = "<OBJECTS>".parse::<Task>().unwrap_err();
/// assert_eq!(error.name, "<OBJECTS>");
/// assert!(error.to_string().starts_with("unknown task \"<OBJECTS>\": expected one of caption, "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownTask {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Task::ALL.iter().map(|task| task.name()).collect();
        let (name, names) = (&self.name, names.join(", "));
        write!(f, "unknown task {name:?}: expected one of {names}")
    }
}

impl std::error::Error for UnknownTask {}

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(name: &str) -> Result<Self, UnknownTask> {
        let trimmed = name.trim();
        let bare = trimmed
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        let wanted = bare
            .unwrap_or(trimmed)
            .to_ascii_lowercase()
            .replace('-', "_");
        let is_token = |task: Task| {
            let token = task.as_str().trim_matches(['<', '>']);
            token.eq_ignore_ascii_case(&wanted)
        };
        let mut all = Task::ALL.iter().copied();
        all.find(|task| task.name() == wanted || is_token(*task))
            .ok_or_else(|| UnknownTask {
                name: name.to_owned(),
            })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Task {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Task {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
