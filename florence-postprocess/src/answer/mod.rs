//! Answers.

mod annotation;
mod filter;
mod parts;

pub use annotation::Annotation;
pub use parts::{Detection, Found, GroundedPhrase, Instance, Outline, Region, Text, TextRegion};

use crate::diagnostic::Diagnostic;
use crate::form::AnswerForm;

/// An answer, typed by its [form](crate::AnswerForm).
///
/// Serialized (feature `serde`) as `{"form": "boxes", "value": [...]}`.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Answer, AnswerForm, Size, parse_text};
///
/// let parsed = parse_text(AnswerForm::Text, "</s><s>A car.</s>", Size::new(640, 480));
/// match parsed.answer {
///     Answer::Text(text) => assert_eq!(text.text, "A car."),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(tag = "form", content = "value", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Answer {
    /// Plain text: captions, OCR, region tasks.
    Text(Text),
    /// Text with its location and marker tokens spelled out.
    Markup(Text),
    /// Labeled boxes: detection, dense captions.
    Boxes(Vec<Detection>),
    /// Boxes without labels: region proposals.
    Proposals(Vec<Region>),
    /// Phrases of a caption with their boxes.
    Phrases(Vec<GroundedPhrase>),
    /// Lines of text with four corners each.
    Quads(Vec<TextRegion>),
    /// Instances with polygons: segmentation.
    Polygons(Vec<Instance>),
    /// Labeled boxes and instances: open-vocabulary detection.
    BoxesOrPolygons(Found),
}

impl Answer {
    /// The form of this answer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Answer, AnswerForm};
    ///
    /// assert_eq!(Answer::Boxes(Vec::new()).form(), AnswerForm::Boxes);
    /// ```
    pub fn form(&self) -> AnswerForm {
        match self {
            Answer::Text(_) => AnswerForm::Text,
            Answer::Markup(_) => AnswerForm::Markup,
            Answer::Boxes(_) => AnswerForm::Boxes,
            Answer::Proposals(_) => AnswerForm::Proposals,
            Answer::Phrases(_) => AnswerForm::Phrases,
            Answer::Quads(_) => AnswerForm::Quads,
            Answer::Polygons(_) => AnswerForm::Polygons,
            Answer::BoxesOrPolygons(_) => AnswerForm::BoxesOrPolygons,
        }
    }

    /// The text of [`Answer::Text`] and [`Answer::Markup`]; `None` for the other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Answer, Text};
    ///
    /// let answer = Answer::Text(Text::new("A car."));
    /// assert_eq!(answer.text(), Some("A car."));
    /// ```
    pub fn text(&self) -> Option<&str> {
        match self {
            Answer::Text(text) | Answer::Markup(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The labeled boxes of [`Answer::Boxes`] and [`Answer::BoxesOrPolygons`]; none in other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Answer;
    ///
    /// assert!(Answer::Boxes(Vec::new()).detections().is_empty());
    /// ```
    pub fn detections(&self) -> &[Detection] {
        match self {
            Answer::Boxes(detections) => detections,
            Answer::BoxesOrPolygons(found) => &found.detections,
            _ => &[],
        }
    }

    /// The boxes of [`Answer::Proposals`]; none in other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Answer;
    ///
    /// assert!(Answer::Proposals(Vec::new()).regions().is_empty());
    /// ```
    pub fn regions(&self) -> &[Region] {
        if let Answer::Proposals(regions) = self {
            regions
        } else {
            &[]
        }
    }

    /// The phrases of [`Answer::Phrases`]; none in other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Answer;
    ///
    /// assert!(Answer::Phrases(Vec::new()).phrases().is_empty());
    /// ```
    pub fn phrases(&self) -> &[GroundedPhrase] {
        if let Answer::Phrases(phrases) = self {
            phrases
        } else {
            &[]
        }
    }

    /// The lines of [`Answer::Quads`]; none in other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Answer;
    ///
    /// assert!(Answer::Quads(Vec::new()).text_regions().is_empty());
    /// ```
    pub fn text_regions(&self) -> &[TextRegion] {
        if let Answer::Quads(quads) = self {
            quads
        } else {
            &[]
        }
    }

    /// The instances of [`Answer::Polygons`] and [`Answer::BoxesOrPolygons`]; none in other forms.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::Answer;
    ///
    /// assert!(Answer::Polygons(Vec::new()).instances().is_empty());
    /// ```
    pub fn instances(&self) -> &[Instance] {
        match self {
            Answer::Polygons(instances) => instances,
            Answer::BoxesOrPolygons(found) => &found.instances,
            _ => &[],
        }
    }
}

/// An answer with its diagnostics.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, Size, parse_text};
///
/// let answer = "</s><s>car<loc_1><loc_2><loc_3><loc_4>door<loc_5></s>";
/// let parsed = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480));
/// assert_eq!(parsed.answer.detections().len(), 1);
/// assert_eq!(
///     parsed.diagnostics[0].to_string(),
///     "token 8: the box of \"door\" has 1 of 4 locations: <loc_5>",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Parsed {
    /// The answer.
    pub answer: Answer,
    /// What did not fit the form, in the order of the tokens.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// An answer with these diagnostics.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Answer, Parsed, Text};
    ///
    /// let parsed = Parsed::new(Answer::Text(Text::new("A car.")), Vec::new());
    /// assert_eq!(parsed.answer.text(), Some("A car."));
    /// ```
    pub fn new(answer: Answer, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            answer,
            diagnostics,
        }
    }
}
