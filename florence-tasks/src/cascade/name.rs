//! Names of the cascades.

use std::fmt;
use std::str::FromStr;

use florence_postprocess::{AnswerForm, InputKind};

use super::caption_length::CaptionLength;

/// The name of a cascade of this crate, as [`Task`](crate::Task) is that of a task.
///
/// Printed in snake case, and parsed in any case, with `_` or `-`.
///
/// # Example
///
/// ```
/// use florence_tasks::{CascadeName, Florence};
///
/// let name: CascadeName = "detect-and-segment".parse()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = Florence::nano()?.cascade(name.request(), &img)?;
/// let annotations = answer.value.annotations();
/// let labels: Vec<&str> = annotations.iter().map(|found| found.label.as_str()).collect();
/// assert_eq!(labels, ["square", "star", "triangle"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CascadeName {
    /// [`CaptionAndGround`](crate::CaptionAndGround).
    CaptionAndGround(CaptionLength),
    /// [`CaptionAndCheck`](crate::CaptionAndCheck).
    CaptionAndCheck(CaptionLength),
    /// [`CheckCaption`](crate::CheckCaption).
    CheckCaption,
    /// [`DetectAndDescribe`](crate::DetectAndDescribe).
    DetectAndDescribe,
    /// [`DetectAndSegment`](crate::DetectAndSegment).
    DetectAndSegment,
}

impl CascadeName {
    /// Every name.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::CascadeName;
    ///
    /// assert_eq!(CascadeName::ALL.len(), 9);
    /// ```
    pub const ALL: &'static [Self] = &[
        Self::CaptionAndGround(CaptionLength::Sentence),
        Self::CaptionAndGround(CaptionLength::Detailed),
        Self::CaptionAndGround(CaptionLength::Paragraph),
        Self::CaptionAndCheck(CaptionLength::Sentence),
        Self::CaptionAndCheck(CaptionLength::Detailed),
        Self::CaptionAndCheck(CaptionLength::Paragraph),
        Self::CheckCaption,
        Self::DetectAndDescribe,
        Self::DetectAndSegment,
    ];

    /// The name in snake case.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionLength, CascadeName};
    ///
    /// let name = CascadeName::CaptionAndCheck(CaptionLength::Detailed);
    /// assert_eq!(name.name(), "detailed_caption_checked");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaptionAndGround(CaptionLength::Sentence) => "caption_and_ground",
            Self::CaptionAndGround(CaptionLength::Detailed) => "detailed_caption_and_ground",
            Self::CaptionAndGround(CaptionLength::Paragraph) => "more_detailed_caption_and_ground",
            Self::CaptionAndCheck(CaptionLength::Sentence) => "caption_checked",
            Self::CaptionAndCheck(CaptionLength::Detailed) => "detailed_caption_checked",
            Self::CaptionAndCheck(CaptionLength::Paragraph) => "more_detailed_caption_checked",
            Self::CheckCaption => "check_caption",
            Self::DetectAndDescribe => "detect_and_describe",
            Self::DetectAndSegment => "detect_and_segment",
        }
    }

    /// Its input besides the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, InputKind};
    ///
    /// assert_eq!(CascadeName::CheckCaption.input(), InputKind::Text);
    /// assert_eq!(CascadeName::DetectAndSegment.input(), InputKind::None);
    /// ```
    pub const fn input(self) -> InputKind {
        match self {
            Self::CheckCaption => InputKind::Text,
            _ => InputKind::None,
        }
    }
}

impl CascadeName {
    /// A short description of its answer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::CascadeName;
    ///
    /// let description = CascadeName::DetectAndSegment.description();
    /// assert_eq!(description, "objects, and the outline of each");
    /// ```
    pub const fn description(self) -> &'static str {
        use CaptionLength::{Detailed, Paragraph, Sentence};
        match self {
            Self::CaptionAndGround(Sentence) => "a caption, and the boxes of its phrases",
            Self::CaptionAndGround(Detailed) => "a detailed caption, and the boxes of its phrases",
            Self::CaptionAndGround(Paragraph) => "a paragraph, and the boxes of its phrases",
            Self::CaptionAndCheck(Sentence) => {
                "a caption, and which of its phrases the image supports"
            }
            Self::CaptionAndCheck(Detailed) => {
                "a detailed caption, and which of its phrases the image supports"
            }
            Self::CaptionAndCheck(Paragraph) => {
                "a paragraph, and which of its phrases the image supports"
            }
            Self::CheckCaption => "which phrases of a given caption the image supports",
            Self::DetectAndDescribe => "objects, and a description of each",
            Self::DetectAndSegment => "objects, and the outline of each",
        }
    }

    /// The form of the located part of its answer, which can be drawn and exported.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{AnswerForm, CascadeName};
    ///
    /// assert_eq!(CascadeName::DetectAndSegment.form(), AnswerForm::Polygons);
    /// ```
    pub const fn form(self) -> AnswerForm {
        match self {
            Self::DetectAndDescribe => AnswerForm::Boxes,
            Self::DetectAndSegment => AnswerForm::Polygons,
            Self::CaptionAndGround(_) | Self::CaptionAndCheck(_) | Self::CheckCaption => {
                AnswerForm::Phrases
            }
        }
    }
}

impl fmt::Display for CascadeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no cascade has.
///
/// # Example
///
/// ```
/// use florence_tasks::CascadeName;
///
/// let error = "detect".parse::<CascadeName>().unwrap_err();
/// assert_eq!(error.name, "detect");
/// assert!(error.to_string().starts_with("unknown cascade \"detect\": expected one of caption_and"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cascade {name:?}: expected one of {}", CascadeName::list())]
#[non_exhaustive]
pub struct UnknownCascade {
    /// The name.
    pub name: String,
}

impl CascadeName {
    fn list() -> String {
        let names = Self::ALL.iter().map(|cascade| cascade.name());
        names.collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for CascadeName {
    type Err = UnknownCascade;

    fn from_str(name: &str) -> Result<Self, UnknownCascade> {
        let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
        let mut all = Self::ALL.iter().copied();
        all.find(|one| one.name() == wanted)
            .ok_or_else(|| UnknownCascade {
                name: name.to_owned(),
            })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for CascadeName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for CascadeName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
