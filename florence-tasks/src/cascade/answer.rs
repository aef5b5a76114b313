//! The answer of any cascade.

use florence_postprocess::Annotation;

use super::{CheckedCaption, CheckedPhrase, Described, GroundedCaption, Segmented};

/// The answer of any cascade, as [`Answer`](crate::Answer) is that of any task.
///
/// Serialized (feature `serde`), it is `{"form": "described", "value": …}`.
///
/// # Example
///
/// See [`CascadeRequest`](crate::CascadeRequest).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "form", content = "value", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum CascadeAnswer {
    /// Of [`CaptionAndGround`](crate::CaptionAndGround).
    GroundedCaption(GroundedCaption),
    /// Of [`CaptionAndCheck`](crate::CaptionAndCheck) and [`CheckCaption`](crate::CheckCaption).
    CheckedCaption(CheckedCaption),
    /// Of [`DetectAndDescribe`](crate::DetectAndDescribe).
    Described(Vec<Described>),
    /// Of [`DetectAndSegment`](crate::DetectAndSegment).
    Segmented(Vec<Segmented>),
}

impl CascadeAnswer {
    /// The caption, where there is one.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, Florence};
    ///
    /// let request = CascadeName::CheckCaption.request().with_input(Some("a brown star"), None);
    /// let img = image::open("tests/data/scene.png")?;
    /// let checked = Florence::nano()?.cascade(request, &img)?.value;
    /// assert_eq!(checked.text(), Some("a brown star"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::GroundedCaption(grounded) => Some(&grounded.caption.text),
            Self::CheckedCaption(checked) => Some(&checked.caption.text),
            Self::Described(_) | Self::Segmented(_) => None,
        }
    }

    /// What can be exported: phrases with their boxes, of a checked caption the supported ones;
    /// objects under their category, with their outlines where these were asked for and found.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CascadeName, Florence};
    ///
    /// let request = CascadeName::CheckCaption.request().with_input(Some("a brown star and a pink heart"), None);
    /// let img = image::open("tests/data/scene.png")?;
    /// let supported = Florence::nano()?.cascade(request, &img)?.value.annotations();
    /// assert!(!supported.is_empty());
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
                supported.flat_map(CheckedPhrase::annotations).collect()
            }
            Self::Described(things) => {
                let things = things.iter();
                things.map(|thing| (&thing.detection).into()).collect()
            }
            Self::Segmented(things) => things.iter().flat_map(Segmented::annotations).collect(),
        }
    }
}
