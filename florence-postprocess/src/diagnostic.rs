//! Parse diagnostics.

use std::fmt;

use crate::geometry::Size;

/// A parse diagnostic: what does not fit the form of the answer, and where.
///
/// Tokens that are not part of the answer are in its diagnostics.
///
/// # Example
///
/// ```
/// use florence_postprocess::{AnswerForm, DiagnosticKind, Size, parse_text};
///
/// let answer = "</s><s>car<loc_9><loc_2><loc_3><loc_4></s>";
/// let parsed = parse_text(AnswerForm::Boxes, answer, Size::new(640, 480));
/// let diagnostic = &parsed.diagnostics[0];
/// assert_eq!(diagnostic.kind, DiagnosticKind::InvertedCorners { bins: [9, 2, 3, 4] });
/// assert_eq!(diagnostic.token, 3);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnostic {
    /// The index of the (first) token in the sequence that was parsed; the length of the sequence
    /// where something is missing at its end, 0 where it is about the prompt.
    pub token: usize,
    /// What does not fit.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub kind: DiagnosticKind,
}

impl Diagnostic {
    /// A diagnostic about the token with this index.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Diagnostic, DiagnosticKind};
    ///
    /// let diagnostic = Diagnostic::new(5, DiagnosticKind::UnclosedPolygon);
    /// assert_eq!(diagnostic.to_string(), "token 5: <poly> without </poly>");
    /// ```
    pub fn new(token: usize, kind: DiagnosticKind) -> Self {
        Self { token, kind }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DiagnosticKind::RegionLooksNormalized { .. } => self.kind.fmt(f),
            _ => write!(f, "token {}: {}", self.token, self.kind),
        }
    }
}

/// The kinds of diagnostics.
///
/// # Example
///
/// ```
/// use florence_postprocess::DiagnosticKind;
///
/// let kind = DiagnosticKind::OddCoordinate { bin: 7 };
/// assert_eq!(kind.to_string(), "a polygon ends with half a point: <loc_7>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// One to three locations where four make a box. They are left out of the answer.
    IncompleteBox {
        /// The label of the box.
        label: String,
        /// The locations that are there.
        bins: Vec<u16>,
    },
    /// One to seven locations where eight make a quad. They are left out of the answer.
    IncompleteQuad {
        /// The text of the quad.
        text: String,
        /// The locations that are there.
        bins: Vec<u16>,
    },
    /// An unpaired coordinate at the end of a polygon: an x without its y. It is left out of the points.
    OddCoordinate {
        /// The location.
        bin: u16,
    },
    /// A polygon with fewer than three points. It is kept.
    DegeneratePolygon {
        /// How many points it has.
        points: usize,
    },
    /// An instance without a single point.
    EmptyInstance {
        /// The label of the instance.
        label: String,
    },
    /// A `<poly>` without its `</poly>`. The instance is kept.
    UnclosedPolygon,
    /// A label that no location follows. It is left out of answers made of regions
    /// (grounding keeps the phrase, without boxes).
    LabelWithoutRegion {
        /// The text.
        label: String,
    },
    /// A box, quad or instance before any text. It is kept, with an empty label.
    RegionWithoutLabel,
    /// A box whose second corner lies left of or above its first. It is kept, with ordered corners.
    InvertedCorners {
        /// The bins as generated.
        bins: [u16; 4],
    },
    /// A location beyond 999, which no published vocabulary has. It counts as 999.
    LocationOutOfRange {
        /// The location.
        bin: u16,
    },
    /// A marker that this form does not have, or not at this place. It is left out.
    UnexpectedMarker {
        /// The marker as spelled in the vocabulary.
        marker: String,
    },
    /// `<unk>`, `<mask>` or another control token inside an answer. It is left out.
    UnexpectedControl {
        /// The token as spelled in the vocabulary.
        control: String,
    },
    /// Locations in an answer that is plain text. They are left out.
    UnexpectedLocations {
        /// The locations.
        bins: Vec<u16>,
    },
    /// Text in an answer of boxes alone. It is left out.
    UnexpectedText {
        /// The text.
        text: String,
    },
    /// Bytes that are not UTF-8; they appear as U+FFFD.
    InvalidUtf8,
    /// A lone UTF-16 surrogate, as Python's `json.dumps` writes them; it appears as U+FFFD.
    LoneSurrogate,
    /// A text answer without text.
    EmptyAnswer,
    /// A phrase that is not in the caption of the prompt. It is kept.
    PhraseNotInText {
        /// The phrase.
        phrase: String,
    },
    /// The region of the prompt lies within the first pixel of a larger image, as fractions of
    /// its sides do where pixels are expected. It was used as it is.
    #[cfg_attr(feature = "serde", serde(rename = "region_looks_normalised"))]
    RegionLooksNormalized {
        /// The size of the image in pixels.
        size: Size,
    },
    /// More of the answer after its end token. It is read like the rest.
    ContentAfterEnd,
    /// No end token: generation was cut off.
    Truncated,
}

impl fmt::Display for DiagnosticKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IncompleteBox { label, bins } => {
                write!(
                    f,
                    "the box of {label:?} has {} of 4 locations: ",
                    bins.len()
                )?;
                locations(f, bins)
            }
            Self::IncompleteQuad { text, bins } => {
                write!(
                    f,
                    "the quad of {text:?} has {} of 8 locations: ",
                    bins.len()
                )?;
                locations(f, bins)
            }
            Self::OddCoordinate { bin } => {
                write!(f, "a polygon ends with half a point: <loc_{bin}>")
            }
            Self::DegeneratePolygon { points } => {
                write!(f, "a polygon has {points} of at least 3 points")
            }
            Self::EmptyInstance { label } => write!(f, "no points outline {label:?}"),
            Self::UnclosedPolygon => f.write_str("<poly> without </poly>"),
            Self::LabelWithoutRegion { label } => write!(f, "no location follows {label:?}"),
            Self::RegionWithoutLabel => f.write_str("locations without a label"),
            Self::InvertedCorners { bins } => {
                f.write_str("a box with its corners out of order: ")?;
                locations(f, bins)
            }
            Self::LocationOutOfRange { bin } => {
                write!(f, "<loc_{bin}> lies outside of <loc_0> to <loc_999>")
            }
            Self::UnexpectedMarker { marker } => write!(f, "unexpected marker {marker}"),
            Self::UnexpectedControl { control } => write!(f, "unexpected control token {control}"),
            Self::UnexpectedLocations { bins } => {
                f.write_str("locations in a text answer: ")?;
                locations(f, bins)
            }
            Self::UnexpectedText { text } => write!(f, "text among boxes: {text:?}"),
            Self::InvalidUtf8 => f.write_str("bytes that are not UTF-8"),
            Self::LoneSurrogate => f.write_str("half of a UTF-16 surrogate pair"),
            Self::EmptyAnswer => f.write_str("the answer holds no text"),
            Self::PhraseNotInText { phrase } => {
                write!(f, "the phrase {phrase:?} is not in the input text")
            }
            Self::RegionLooksNormalized { size } => write!(
                f,
                "the region asked about lies within the first pixel of an image of {size}: \
                 regions are in pixels, not fractions of the sides"
            ),
            Self::ContentAfterEnd => f.write_str("more of the answer after its end token"),
            Self::Truncated => f.write_str("the answer is cut off: no end token"),
        }
    }
}

fn locations(f: &mut fmt::Formatter<'_>, bins: &[u16]) -> fmt::Result {
    bins.iter().try_for_each(|bin| write!(f, "<loc_{bin}>"))
}
