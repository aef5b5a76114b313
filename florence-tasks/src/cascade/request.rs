//! Cascades chosen at run time.

use florence_postprocess::{BBox, InputKind};

use super::answer::CascadeAnswer;
use super::name::CascadeName;
use super::{
    CaptionAndCheck, CaptionAndGround, Cascade, CheckCaption, DetectAndDescribe, DetectAndSegment,
    Steps,
};
use crate::error::{Error, InputProblem, Result};

/// A cascade by name, with its text: what a [`Request`](crate::Request) is to a task.
///
/// # Example
///
/// ```
/// use florence_tasks::{CascadeAnswer, CascadeName, Florence};
///
/// let request = CascadeName::CheckCaption.request().with_input(Some("a brown star and a pink heart"), None);
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

impl CascadeName {
    /// The cascade without text.
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
}

impl CascadeRequest {
    /// Sets the text, if any, and the region, if any, as from a command line. A missing or
    /// superfluous input is an error of [`check`](CascadeRequest::check) and of the run.
    ///
    /// # Example
    ///
    /// See [`CascadeRequest`].
    #[must_use]
    pub fn with_input(self, text: Option<&str>, region: Option<BBox>) -> Self {
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

    /// Checks that the inputs are those that it needs.
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
            (InputKind::Text, _, None) => wrong(InputProblem::MissingText),
            (InputKind::Text, _, Some(_)) => wrong(InputProblem::SuperfluousRegion),
            (_, None, None) => Ok(""),
            _ => wrong(InputProblem::Superfluous),
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
