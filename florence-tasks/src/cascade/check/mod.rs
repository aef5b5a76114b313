//! Captions whose phrases are verified in the image.

mod evidence;
mod grounding;
mod phrases;
mod support;

use std::ops::Range;

use florence_postprocess::{Annotation, Region, Task, Text};

use evidence::RegionEvidence;
use grounding::grounded_regions;
use phrases::noun_phrases;
use support::support;

use super::caption_length::CaptionLength;
use super::{Cascade, Cascaded, Steps};
use crate::encoded::EncodedImage;
use crate::error::Result;
use crate::florence::Florence;
use crate::source::ImageSource;

/// Default threshold of a supported phrase.
///
/// Chosen on captions with wrong objects about 240 scenes that florence-nano was not trained on;
/// the figures are in the project's `DESIGN.md`.
const MIN_SUPPORT: f32 = 0.3;

/// Verifies every phrase of a caption in the image, and warns of those that the image does not
/// support. The caption may come from anywhere.
///
/// Models put a box around whatever a caption names, present or not, and with the same confidence.
/// So every phrase is checked by answers of the model that do not depend on it: the category and
/// the description of the region where the phrase should be, the probability of the phrase's words
/// as such an answer, and the objects and captions of the whole image. The
/// [`support`](CheckedPhrase::support) of a phrase is the geometric mean of its words' support by
/// the statement that supports it best.
///
/// That takes some six questions about the image, and two with three scores for each phrase.
///
/// Phrases are English; not checked are words for the picture itself ("the background"), measures
/// ("a group of"), negated phrases ("no people"), counts ("two"), positions ("upper left") and
/// relations ("on", "next to").
///
/// # Example
///
/// ```
/// use florence_tasks::{CheckCaption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let caption = CheckCaption::new("a brown star and a pink heart");
/// let checked = florence.cascade(caption, &img)?.into_value();
/// assert_eq!(checked.warnings.len(), 1);
/// assert!(checked.phrases[0].supported);
/// assert!(!checked.phrases[1].supported);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckCaption<'a> {
    caption: &'a str,
    min_support: f32,
}

impl<'a> CheckCaption<'a> {
    /// Checks this caption; a phrase is supported from a support of 0.3 on.
    ///
    /// # Example
    ///
    /// See [`CheckCaption`].
    pub const fn new(caption: &'a str) -> Self {
        Self {
            caption,
            min_support: MIN_SUPPORT,
        }
    }

    /// The minimum support of a supported phrase, from 0 to 1.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CheckCaption, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let credulous = CheckCaption::new("a pink heart").min_support(0.0);
    /// let checked = Florence::nano()?.cascade(credulous, &img)?.into_value();
    /// assert!(checked.phrases[0].supported && checked.warnings.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn min_support(mut self, min_support: f32) -> Self {
        self.min_support = min_support;
        self
    }
}

/// A caption by the model, verified as by [`CheckCaption`]: by its answers to other questions.
///
/// # Example
///
/// ```
/// use florence_tasks::{CaptionAndCheck, CaptionLength, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let cascade = CaptionAndCheck::new(CaptionLength::Detailed);
/// let checked = florence.cascade(cascade, &img)?.into_value();
/// for phrase in &checked.phrases {
///     println!("{} {:.2}", phrase.phrase, phrase.support);
/// }
/// assert!(!checked.phrases.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptionAndCheck {
    length: CaptionLength,
    min_support: f32,
}

impl CaptionAndCheck {
    /// A caption of this length; a phrase is supported from a support of 0.3 on.
    ///
    /// # Example
    ///
    /// See [`CaptionAndCheck`].
    pub const fn new(length: CaptionLength) -> Self {
        Self {
            length,
            min_support: MIN_SUPPORT,
        }
    }

    /// The minimum support of a supported phrase, from 0 to 1.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionAndCheck, CaptionLength, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let strict = CaptionAndCheck::new(CaptionLength::Sentence).min_support(1.1);
    /// let checked = Florence::nano()?.cascade(strict, &img)?.into_value();
    /// assert_eq!(checked.warnings.len(), checked.phrases.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn min_support(mut self, min_support: f32) -> Self {
        self.min_support = min_support;
        self
    }
}

/// A caption and how the image supports it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CheckedCaption {
    /// The caption.
    pub caption: Text,
    /// Its noun phrases, in order.
    pub phrases: Vec<CheckedPhrase>,
    /// A warning for each unsupported phrase.
    pub warnings: Vec<String>,
}

/// A phrase of a caption and how the image supports it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CheckedPhrase {
    /// The phrase, as in the caption.
    pub phrase: String,
    /// Its byte range in the caption.
    pub range: Range<usize>,
    /// The regions where it should be. A model grounds every phrase, so that a box does not show
    /// whether the phrase is supported.
    pub regions: Vec<Region>,
    /// How well other answers about the image agree with the phrase, from 0 to 1.
    pub support: f32,
    /// Whether the support reaches the minimum.
    pub supported: bool,
    /// The statement that supports it best; for an unsupported phrase, what the model says about
    /// its region instead.
    pub evidence: Option<Evidence>,
}

impl CheckedPhrase {
    /// The label for display: an unsupported phrase has a question mark.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CheckCaption, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let caption = CheckCaption::new("a brown star and a pink heart");
    /// let checked = Florence::nano()?.cascade(caption, &img)?;
    /// assert_eq!(checked.value.phrases[1].label(), "a pink heart?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn label(&self) -> String {
        let doubt = if self.supported { "" } else { "?" };
        format!("{}{doubt}", self.phrase)
    }

    /// The phrase at each of its regions, scored by its support.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = Annotation> {
        let regions = self.regions.iter();
        regions.map(|region| Annotation::new(&self.phrase, region.bbox).with_score(self.support))
    }
}

/// A statement of the model about the image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evidence {
    /// The task that it answers.
    pub task: Task,
    /// The answer, or the relevant part of it.
    pub text: String,
}

impl Cascade for CheckCaption<'_> {
    type Output = CheckedCaption;

    fn run(&self, steps: &mut Steps<'_>) -> Result<CheckedCaption> {
        let caption = Text::new(self.caption);
        check(steps, caption, None, self.min_support)
    }
}

impl Cascade for CaptionAndCheck {
    type Output = CheckedCaption;

    fn run(&self, steps: &mut Steps<'_>) -> Result<CheckedCaption> {
        let caption = self.length.write(steps)?;
        check(steps, caption, Some(self.length.task()), self.min_support)
    }
}

impl Florence {
    /// Writes a caption and checks it: [`CaptionAndCheck`].
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionLength, Florence};
    ///
    /// let florence = Florence::nano()?;
    /// let img = image::open("tests/data/scene.png")?;
    /// let checked = florence.caption_checked(CaptionLength::Sentence, &img)?;
    /// assert!(checked.value.phrases.iter().any(|phrase| phrase.supported));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn caption_checked<I: ImageSource + ?Sized>(
        &self,
        length: CaptionLength,
        image: &I,
    ) -> Result<Cascaded<CheckedCaption>> {
        self.cascade(CaptionAndCheck::new(length), image)
    }
}

impl EncodedImage {
    /// Writes a caption and checks it: [`CaptionAndCheck`].
    ///
    /// # Errors
    ///
    /// As [`Florence::run`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionLength, Florence};
    ///
    /// let photo = Florence::nano()?.encode(&image::open("tests/data/scene.png")?)?;
    /// let checked = photo.caption_checked(CaptionLength::Paragraph)?;
    /// assert!(!checked.value.phrases.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn caption_checked(&self, length: CaptionLength) -> Result<Cascaded<CheckedCaption>> {
        self.cascade(CaptionAndCheck::new(length))
    }
}

/// `written_as` is the task that wrote the caption, which is no evidence for itself.
fn check(
    steps: &mut Steps<'_>,
    caption: Text,
    written_as: Option<Task>,
    min_support: f32,
) -> Result<CheckedCaption> {
    let nouns = noun_phrases(&caption.text);
    if nouns.is_empty() {
        return Ok(CheckedCaption {
            caption,
            phrases: Vec::new(),
            warnings: Vec::new(),
        });
    }
    let grounded = grounded_regions(steps, &caption.text, &nouns)?;
    let statements = evidence::of_image(steps, written_as)?;
    let first = nouns.iter().zip(&grounded).filter_map(|(noun, regions)| {
        let region = steps.region(&regions.first()?.bbox);
        Some((region, noun.words.as_slice()))
    });
    let first: Vec<_> = first.collect();
    let mut found = evidence::of_regions(steps, &first)?.into_iter();
    let mut phrases = Vec::with_capacity(nouns.len());
    for (noun, regions) in nouns.into_iter().zip(grounded) {
        let here = if regions.is_empty() {
            RegionEvidence::default()
        } else {
            found.next().unwrap_or_default()
        };
        let (support, best) = support(&noun, &here, &statements);
        let supported = support >= min_support;
        let evidence = if supported {
            best
        } else {
            here.statements.first()
        };
        phrases.push(CheckedPhrase {
            phrase: caption.text[noun.range.clone()].to_owned(),
            range: noun.range,
            regions,
            support,
            supported,
            evidence: evidence.cloned(),
        });
    }
    let unsupported = phrases.iter().filter(|phrase| !phrase.supported);
    Ok(CheckedCaption {
        warnings: unsupported.map(warning).collect(),
        caption,
        phrases,
    })
}

fn warning(phrase: &CheckedPhrase) -> String {
    match &phrase.evidence {
        Some(there) => format!(
            "{:?} is not supported by the image: the model describes that region as {:?}",
            phrase.phrase, there.text
        ),
        None => format!("{:?} is not supported by the image", phrase.phrase),
    }
}
