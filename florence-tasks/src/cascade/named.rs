//! Cascades that are chosen by name when a program runs.

use std::fmt;
use std::str::FromStr;

use florence_postprocess::BBox;
use florence_postprocess::export::Annotation;
use serde::Serialize;

use super::{
    CaptionAndCheck, CaptionAndGround, CaptionLength, Cascade, CheckCaption, CheckedCaption,
    Described, DetectAndDescribe, DetectAndSegment, GroundedCaption, Segmented, Steps,
};
use crate::error::{Error, Result};
use crate::task::InputKind;

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
    /// [`CaptionAndGround`].
    CaptionAndGround(CaptionLength),
    /// [`CaptionAndCheck`].
    CaptionAndCheck(CaptionLength),
    /// [`CheckCaption`].
    CheckCaption,
    /// [`DetectAndDescribe`].
    DetectAndDescribe,
    /// [`DetectAndSegment`].
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

    /// The cascade without a text.
    ///
    /// # Example
    ///
    /// See [`CascadeName`].
    pub fn request(self) -> CascadeRequest {
        CascadeRequest {
            name: self,
            text: None,
            region: None,
        }
    }

    pub(crate) fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
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
            })
    }
}

/// A cascade by its name, with its text: what a [`Request`](crate::Request) is to a question.
///
/// # Example
///
/// ```
/// use florence_tasks::{CascadeAnswer, CascadeName, Florence};
///
/// let request = CascadeName::CheckCaption.request().with(Some("a brown star and a pink heart"), None);
/// let img = image::open("tests/data/scene.png")?;
/// let answer = Florence::nano()?.cascade(request, &img)?;
/// let CascadeAnswer::CheckedCaption(checked) = &answer.value else { unreachable!() };
/// assert_eq!(checked.warnings.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CascadeRequest {
    name: CascadeName,
    text: Option<String>,
    region: Option<BBox>,
}

impl CascadeRequest {
    /// With this text or none, and this region or none, as they come from a command line. What is
    /// missing or superfluous is an error of [`check`](CascadeRequest::check), and when it is run.
    ///
    /// # Example
    ///
    /// See [`CascadeRequest`].
    #[must_use]
    pub fn with(self, text: Option<&str>, region: Option<BBox>) -> Self {
        Self {
            text: text.map(str::to_owned),
            region,
            ..self
        }
    }

    /// The name.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::CascadeName;
    ///
    /// assert_eq!(CascadeName::DetectAndDescribe.request().name(), CascadeName::DetectAndDescribe);
    /// ```
    pub fn name(&self) -> CascadeName {
        self.name
    }

    /// Whether everything that it needs is there, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::CascadeInput`] otherwise.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::CascadeName;
    ///
    /// let error = CascadeName::CheckCaption.request().check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "check_caption needs text, and got none: expected a caption such as \"a green car\"",
    /// );
    /// ```
    pub fn check(&self) -> Result<()> {
        self.checked_text().map(drop)
    }

    /// The text; empty where none is needed.
    fn checked_text(&self) -> Result<&str> {
        let wrong = |problem| {
            Err(Error::CascadeInput {
                cascade: self.name,
                problem,
            })
        };
        let text = self.text.as_deref().map(str::trim);
        match (self.name.input(), text, self.region) {
            (InputKind::Text, Some(text), None) if !text.is_empty() => Ok(text),
            (InputKind::Text, _, None) => {
                wrong("needs text, and got none: expected a caption such as \"a green car\"")
            }
            (InputKind::Text, _, Some(_)) => {
                wrong("takes no region: it is asked about the image as a whole")
            }
            (_, None, None) => Ok(""),
            _ => wrong("takes neither text nor region: it is asked about the image as a whole"),
        }
    }
}

impl Cascade for CascadeRequest {
    type Output = CascadeAnswer;

    fn run(&self, steps: &mut Steps<'_>) -> Result<CascadeAnswer> {
        let text = self.checked_text()?;
        Ok(match self.name {
            CascadeName::CaptionAndGround(length) => {
                CascadeAnswer::GroundedCaption(CaptionAndGround(length).run(steps)?)
            }
            CascadeName::CaptionAndCheck(length) => {
                CascadeAnswer::CheckedCaption(CaptionAndCheck::new(length).run(steps)?)
            }
            CascadeName::CheckCaption => {
                CascadeAnswer::CheckedCaption(CheckCaption::new(text).run(steps)?)
            }
            CascadeName::DetectAndDescribe => {
                CascadeAnswer::Described(DetectAndDescribe.run(steps)?)
            }
            CascadeName::DetectAndSegment => CascadeAnswer::Segmented(DetectAndSegment.run(steps)?),
        })
    }
}

/// What a cascade gave: what an [`Answer`](crate::Answer) is to a question.
///
/// Serialised, it is `{"form": "described", "value": …}`.
///
/// # Example
///
/// See [`CascadeRequest`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "form", content = "value", rename_all = "snake_case")]
pub enum CascadeAnswer {
    /// Of [`CaptionAndGround`].
    GroundedCaption(GroundedCaption),
    /// Of [`CaptionAndCheck`] and [`CheckCaption`].
    CheckedCaption(CheckedCaption),
    /// Of [`DetectAndDescribe`].
    Described(Vec<Described>),
    /// Of [`DetectAndSegment`].
    Segmented(Vec<Segmented>),
}

impl CascadeAnswer {
    /// What there is to export: phrases with their boxes, of a checked caption those that are
    /// supported; objects under their category, with their outlines where they were asked for.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, Florence};
    ///
    /// let request = CascadeName::CheckCaption.request().with(Some("a brown star and a pink heart"), None);
    /// let img = image::open("tests/data/scene.png")?;
    /// let supported = Florence::nano()?.cascade(request, &img)?.annotations();
    /// assert!(supported.iter().all(|annotation| annotation.label == "a brown star"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn annotations(&self) -> Vec<Annotation> {
        match self {
            Self::GroundedCaption(grounded) => {
                let phrases = grounded.phrases.iter();
                phrases.flat_map(Annotation::from_phrase).collect()
            }
            Self::CheckedCaption(checked) => {
                let supported = checked.phrases.iter().filter(|phrase| phrase.supported);
                supported
                    .flat_map(|phrase| {
                        let regions = phrase.regions.iter();
                        regions.map(|region| Annotation {
                            label: phrase.phrase.clone(),
                            score: Some(phrase.support),
                            ..Annotation::from(region)
                        })
                    })
                    .collect()
            }
            Self::Described(things) => {
                let things = things.iter();
                things.map(|thing| (&thing.detection).into()).collect()
            }
            Self::Segmented(things) => {
                let things = things.iter();
                things
                    .flat_map(|thing| {
                        thing.instances.iter().map(|instance| Annotation {
                            label: thing.detection.label.clone(),
                            ..Annotation::from(instance)
                        })
                    })
                    .collect()
            }
        }
    }
}
