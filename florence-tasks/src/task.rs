//! The fifteen tasks.

use std::fmt;
use std::str::FromStr;

use florence_postprocess::AnswerForm;

/// One of the fifteen tasks that Florence-2 was trained for.
///
/// As a question to [`Florence::run`](crate::Florence::run) it gives an
/// [`Answer`](crate::Answer). Tasks about a text or a region get it from
/// [`with_text`](Task::with_text) and [`with_region`](Task::with_region). Where the task is known
/// when the program is written, its [type](crate::Od) is simpler to use.
///
/// It is printed as its marker, and read from its marker or its name in any case, with `_` or `-`.
///
/// # Example
///
/// ```
/// use florence_tasks::Task;
///
/// assert_eq!(Task::Od.to_string(), "<OD>");
/// for name in ["<OD>", "od", "OD"] {
///     assert_eq!(name.parse::<Task>()?, Task::Od);
/// }
/// for name in ["<CAPTION_TO_PHRASE_GROUNDING>", "phrase_grounding", "phrase-grounding"] {
///     assert_eq!(name.parse::<Task>()?, Task::PhraseGrounding);
/// }
/// # Ok::<(), florence_tasks::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// One sentence about the image.
    Caption,
    /// A few sentences about the image.
    DetailedCaption,
    /// A paragraph about the image.
    MoreDetailedCaption,
    /// The text in the image.
    Ocr,
    /// The text in the image, line by line, with four corners each.
    OcrWithRegion,
    /// Objects with category names.
    Od,
    /// Objects with descriptions.
    DenseRegionCaption,
    /// Boxes around whatever stands out.
    RegionProposal,
    /// Where the phrases of a caption are.
    PhraseGrounding,
    /// The outline of what an expression refers to.
    ReferringSegmentation,
    /// The outline of what a region shows.
    RegionToSegmentation,
    /// Where things of any name are.
    OpenVocabularyDetection,
    /// The category of what a region shows.
    RegionToCategory,
    /// A description of what a region shows.
    RegionToDescription,
    /// The text in a region.
    RegionToOcr,
}

/// What a task is asked about, besides the image.
///
/// # Example
///
/// ```
/// use florence_tasks::{InputKind, Task};
///
/// assert_eq!(Task::RegionToOcr.input(), InputKind::Region);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// Nothing.
    None,
    /// A text: a caption, an expression, or names.
    Text,
    /// A box in the image.
    Region,
}

impl Task {
    /// Every task.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Task;
    ///
    /// assert_eq!(Task::ALL.len(), 15);
    /// for task in Task::ALL {
    ///     println!("{task} {}", task.name());
    /// }
    /// ```
    pub const ALL: [Task; 15] = [
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

    /// The marker of the published processors, such as `<OD>`. It is never sent to the model;
    /// [`sentence`](Task::sentence) is.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Task;
    ///
    /// assert_eq!(Task::ReferringSegmentation.marker(), "<REFERRING_EXPRESSION_SEGMENTATION>");
    /// ```
    pub const fn marker(self) -> &'static str {
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
    /// use florence_tasks::Task;
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

    /// The prompt, with `{input}` where the text or the four location tokens go. The wording is
    /// the one of Microsoft's `processing_florence2.py`; the model knows no other.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::Task;
    ///
    /// assert_eq!(Task::Od.sentence(), "Locate the objects with category name in the image.");
    /// assert_eq!(Task::RegionToCategory.sentence(), "What is the region {input}?");
    /// ```
    pub const fn sentence(self) -> &'static str {
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

    /// What the task is asked about, besides the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{InputKind, Task};
    ///
    /// let alone = Task::ALL.into_iter().filter(|task| task.input() == InputKind::None);
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

    /// The form of the answer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, Task};
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

    pub(crate) fn expected_text(self) -> &'static str {
        match self {
            Task::PhraseGrounding => "a caption such as \"a green car in front of a house\"",
            Task::ReferringSegmentation => "an expression such as \"the green car\"",
            _ => "names such as \"car\" or \"car<and>house\"",
        }
    }

    fn list() -> String {
        let names: Vec<&str> = Task::ALL.into_iter().map(Task::name).collect();
        names.join(", ")
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.marker())
    }
}

/// A name that is not one of a task.
///
/// # Example
///
/// ```
/// use florence_tasks::Task;
///
/// let error = "<OBJECTS>".parse::<Task>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown task \"<OBJECTS>\": expected one of caption, "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown task {name:?}: expected one of {}", Task::list())]
#[non_exhaustive]
pub struct UnknownTask {
    /// The name.
    pub name: String,
}

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
        let marker_is = |task: Task| {
            task.marker()
                .trim_matches(['<', '>'])
                .eq_ignore_ascii_case(&wanted)
        };
        Task::ALL
            .into_iter()
            .find(|task| task.name() == wanted || marker_is(*task))
            .ok_or_else(|| UnknownTask {
                name: name.to_owned(),
            })
    }
}

impl serde::Serialize for Task {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.marker())
    }
}

impl<'de> serde::Deserialize<'de> for Task {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
