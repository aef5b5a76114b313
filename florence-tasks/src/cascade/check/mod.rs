//! Captions whose phrases are looked for in the image.

mod phrases;
mod places;
mod support;
mod witness;

use std::ops::Range;

use florence_postprocess::{Annotation, Region, Task, Text};
use serde::Serialize;

use phrases::noun_phrases;
use places::places;
use support::support;
use witness::Witness;

use super::caption::CaptionLength;
use super::{Cascade, Cascaded, Steps};
use crate::encoded::EncodedImage;
use crate::error::Result;
use crate::florence::Florence;
use crate::source::ImageSource;

/// The least support of a phrase that counts as supported, unless another is asked for.
///
/// Chosen on captions with wrong objects about 240 scenes that florence-nano was not trained on;
/// the figures are in the project's `DESIGN.md`.
pub const MIN_SUPPORT: f32 = 0.3;

/// Looks for every phrase of a caption in the image, and says which ones the model finds no
/// support for. The caption may come from anywhere.
///
/// Models put a box around whatever a caption names, seen or not, and with the same confidence.
/// So every phrase is checked by what the model says without having read it: the region where the
/// phrase should be is asked what it is, and how probable the words of the phrase are as an answer
/// to that; the objects and captions of the image as a whole may name it too. The
/// [`support`](CheckedPhrase::support) of a phrase is the geometric mean of its words' support by
/// the statement that supports it best.
///
/// That is some six questions about the image, and two with three scores for each phrase.
///
/// Phrases are English: what is left out are words for the picture itself ("the background"),
/// measures ("a group of") and what is negated ("no people"). Counts ("two"),
/// places ("upper left") and relations ("on", "next to") are not checked.
///
/// # Example
///
/// ```
/// use florence_tasks::{CheckCaption, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let checked = florence.cascade(CheckCaption::new("a brown star and a pink heart"), &img)?;
/// for warning in &checked.warnings {
///     println!("{warning}");
/// }
/// assert!(checked.phrases[0].supported);
/// assert!(!checked.phrases[1].supported);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckCaption<'a> {
    /// The caption.
    pub caption: &'a str,
    /// The least support of a supported phrase, from 0 to 1.
    pub min_support: f32,
}

impl<'a> CheckCaption<'a> {
    /// Checks this caption by [`MIN_SUPPORT`].
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
}

/// A caption by the model, checked as by [`CheckCaption`]: by what the model says when it is asked
/// otherwise.
///
/// # Example
///
/// ```
/// use florence_tasks::{CaptionAndCheck, CaptionLength, Florence};
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let checked = florence.cascade(CaptionAndCheck::new(CaptionLength::Detailed), &img)?;
/// println!("{}", checked.caption.text);
/// for phrase in &checked.phrases {
///     println!("  {} {:.2}", phrase.phrase, phrase.support);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptionAndCheck {
    /// The length of the caption.
    pub length: CaptionLength,
    /// The least support of a supported phrase, from 0 to 1.
    pub min_support: f32,
}

impl CaptionAndCheck {
    /// A caption of this length, checked by [`MIN_SUPPORT`].
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
}

/// A caption and what the image says to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedCaption {
    /// The caption.
    pub caption: Text,
    /// Its noun phrases, in their order.
    pub phrases: Vec<CheckedPhrase>,
    /// A sentence for each phrase that is not supported.
    pub warnings: Vec<String>,
}

/// A phrase of a caption and what the image says to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedPhrase {
    /// The phrase as it stands in the caption.
    pub phrase: String,
    /// Where it stands: bytes of the caption.
    pub range: Range<usize>,
    /// Where it would be in the image. A model finds a place for every phrase, so that a box says
    /// nothing about whether the phrase is supported.
    pub regions: Vec<Region>,
    /// How well other answers about the image agree with the phrase, from 0 to 1.
    pub support: f32,
    /// Whether the support is enough.
    pub supported: bool,
    /// What supports it best; for an unsupported phrase, what the model says is there instead.
    pub evidence: Option<Evidence>,
}

impl CheckedPhrase {
    /// What to call it where it is shown: an unsupported phrase has a question mark.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CheckCaption, Florence};
    ///
    /// let img = image::open("tests/data/scene.png")?;
    /// let checked = Florence::nano()?.cascade(CheckCaption::new("a brown star and a pink heart"), &img)?;
    /// assert_eq!(checked.phrases[1].label(), "a pink heart?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn label(&self) -> String {
        let doubt = if self.supported { "" } else { "?" };
        format!("{}{doubt}", self.phrase)
    }

    /// The phrase at each of its places, scored by its support.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = Annotation> {
        let regions = self.regions.iter();
        regions.map(|region| Annotation::new(&self.phrase, region.bbox).with_score(self.support))
    }
}

/// Something that the model says about the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it was asked.
    pub task: Task,
    /// The answer, or the part of it that matters.
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
    /// println!("{} {:?}", checked.caption.text, checked.warnings);
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
    /// println!("{:?}", photo.caption_checked(CaptionLength::Paragraph)?.warnings);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn caption_checked(&self, length: CaptionLength) -> Result<Cascaded<CheckedCaption>> {
        self.cascade(CaptionAndCheck::new(length))
    }
}

/// `written_as` is the task that the caption answers; it is no witness for itself.
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
    let places = places(steps, &caption.text, &nouns)?;
    let said = witness::of_image(steps, written_as)?;
    let first = nouns.iter().zip(&places).filter_map(|(noun, places)| {
        let region = steps.region(&places.first()?.bbox);
        Some((region, noun.words.as_slice()))
    });
    let first: Vec<_> = first.collect();
    let mut witnesses = witness::of_regions(steps, &first)?.into_iter();
    let mut phrases = Vec::with_capacity(nouns.len());
    for (noun, regions) in nouns.into_iter().zip(places) {
        let here = if regions.is_empty() {
            Witness::default()
        } else {
            witnesses.next().unwrap_or_default()
        };
        let (support, best) = support(&noun, &here, &said);
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
            "{:?} is not borne out: where it should be, the model sees {:?}",
            phrase.phrase, there.text
        ),
        None => format!("{:?} is not borne out by the image", phrase.phrase),
    }
}
