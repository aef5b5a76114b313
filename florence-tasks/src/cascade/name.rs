//! The names of the cascades.

use std::fmt;
use std::str::FromStr;

use super::caption::CaptionLength;
use crate::error::{Error, Result};
use florence_postprocess::InputKind;

/// The name of a cascade of this crate: what a [`Task`](crate::Task) is to a question.
///
/// It is printed in snake case, and read in any case, with `_` or `-`.
///
/// # Example
///
/// ```
/// use florence_tasks::{CascadeName, Florence};
///
/// let name: CascadeName = "detect-and-segment".parse()?;
/// let img = image::open("tests/data/scene.png")?;
/// let answer = Florence::nano()?.cascade(name.request(), &img)?;
/// for outlined in answer.annotations() {
///     println!("{} {:?}", outlined.label, outlined.shape);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    pub const ALL: [Self; 9] = [
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

    /// What it is asked about, besides the image.
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

impl fmt::Display for CascadeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CascadeName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name() == wanted)
            .ok_or_else(|| Error::UnknownCascade {
                name: name.to_owned(),
                expected: Self::ALL.map(Self::name).join(", "),
            })
    }
}
