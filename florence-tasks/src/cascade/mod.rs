//! Cascades: questions about one encoded image that depend on earlier answers.

mod answer;
mod caption;
mod caption_length;
mod check;
mod detect;
mod filter;
#[cfg(feature = "draw")]
mod marks;
pub(crate) mod name;
mod request;
mod steps;

pub use answer::CascadeAnswer;
pub use caption::{CaptionAndGround, GroundedCaption};
pub use caption_length::CaptionLength;
pub use check::{CaptionAndCheck, CheckCaption, CheckedCaption, CheckedPhrase, Evidence};
pub use detect::{Described, DetectAndDescribe, DetectAndSegment, Segmented};
pub use name::{CascadeName, UnknownCascade};
pub use request::CascadeRequest;
pub use steps::{Cascaded, Steps};

use crate::error::Result;

/// Questions about one image, each based on the answers before it.
///
/// [`CaptionAndGround`], [`DetectAndDescribe`] and [`DetectAndSegment`] are cascades, and
/// [`CascadeRequest`] is any of them by name. Implement it for your own, and run them with
/// [`Florence::cascade`](crate::Florence::cascade) or
/// [`EncodedImage::cascade`](crate::EncodedImage::cascade): the image is encoded once.
///
/// # Example: a cascade of your own
///
/// ```
/// use florence_tasks::{Cascade, Florence, Od, RegionToOcr, Result, Steps};
///
/// /// The text on objects of one category.
/// struct TextOn(&'static str);
///
/// impl Cascade for TextOn {
///     type Output = Vec<String>;
///
///     fn run(&self, steps: &mut Steps<'_>) -> Result<Vec<String>> {
///         let found = steps.ask(Od)?;
///         let of_the_kind = found.iter().filter(|thing| thing.label == self.0);
///         let questions = of_the_kind.map(|thing| RegionToOcr(steps.region(&thing.bbox)));
///         let questions: Vec<_> = questions.collect();
///         Ok(steps.ask_all(questions)?.into_iter().map(|text| text.text).collect())
///     }
/// }
///
/// let florence = Florence::nano()?;
/// let img = image::open("tests/data/scene.png")?;
/// let texts = florence.cascade(TextOn("sign"), &img)?;
/// assert_eq!(texts.steps.len(), 1 + texts.value.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Cascade {
    /// The type of the result.
    type Output;

    /// Asks the questions and returns the result.
    ///
    /// # Errors
    ///
    /// Those of the questions.
    fn run(&self, steps: &mut Steps<'_>) -> Result<Self::Output>;
}

impl<C: Cascade + ?Sized> Cascade for &C {
    type Output = C::Output;

    fn run(&self, steps: &mut Steps<'_>) -> Result<C::Output> {
        (**self).run(steps)
    }
}
