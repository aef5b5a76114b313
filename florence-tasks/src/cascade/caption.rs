//! Captions with grounded phrases.

use florence_postprocess::{GroundedPhrase, Text};

use super::caption_length::CaptionLength;
use super::{Cascade, Steps};
use crate::error::Result;
use crate::typed::{Caption, DetailedCaption, MoreDetailedCaption, PhraseGrounding};

impl CaptionLength {
    /// Writes a caption.
    pub(crate) fn write(self, steps: &mut Steps<'_>) -> Result<Text> {
        match self {
            Self::Sentence => steps.ask(Caption),
            Self::Detailed => steps.ask(DetailedCaption),
            Self::Paragraph => steps.ask(MoreDetailedCaption),
        }
    }
}

/// A caption, then the boxes of its phrases.
///
/// # Example
///
/// ```
/// use florence_tasks::{CaptionAndGround, CaptionLength, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let grounded = florence.cascade(CaptionAndGround(CaptionLength::Sentence), &img)?.into_value();
/// for phrase in &grounded.phrases {
///     assert!(grounded.caption.text.contains(&phrase.phrase));
/// }
/// assert_eq!(grounded.phrases.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CaptionAndGround(
    /// The length of the caption.
    pub CaptionLength,
);

/// The result of [`CaptionAndGround`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GroundedCaption {
    /// The caption.
    pub caption: Text,
    /// Its grounded phrases, in the order of the answer. None for an empty caption.
    pub phrases: Vec<GroundedPhrase>,
}

impl Cascade for CaptionAndGround {
    type Output = GroundedCaption;

    fn run(&self, steps: &mut Steps<'_>) -> Result<GroundedCaption> {
        let caption = self.0.write(steps)?;
        let phrases = if caption.text.trim().is_empty() {
            Vec::new()
        } else {
            steps.ask(PhraseGrounding(&caption.text))?
        };
        Ok(GroundedCaption { caption, phrases })
    }
}
