//! Questions whose answers lead to further questions, all about one encoded image.

mod answer;
mod caption;
mod check;
mod detect;
#[cfg(feature = "draw")]
mod marks;
mod name;
mod request;
mod steps;

pub use answer::CascadeAnswer;
pub use caption::{CaptionAndGround, CaptionLength, GroundedCaption};
pub use check::{CaptionAndCheck, CheckCaption, CheckedCaption, CheckedPhrase, Evidence};
pub use detect::{Described, DetectAndDescribe, DetectAndSegment, Segmented};
pub use name::{CascadeName, UnknownCascade};
pub use request::CascadeRequest;
pub use steps::{Cascaded, Steps};

use crate::error::Result;

/// A series of questions about one image, each made of the answers before it.
///
/// [`CaptionAndGround`], [`DetectAndDescribe`] and [`DetectAndSegment`] are such, and
/// [`CascadeRequest`] is any of them by its name. Implement it for series of your own, and run them
/// with [`Florence::cascade`](crate::Florence::cascade) or
/// [`EncodedImage::cascade`](crate::EncodedImage::cascade): the image is encoded once.
///
/// # Example: a cascade of your own
///
/// ```
/// use florence_tasks::{Cascade, Florence, Od, RegionToOcr, Result, Steps};
///
/// /// What is written on things of one kind.
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
    /// What all its answers become.
    type Output;

    /// Asks what there is to ask.
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
