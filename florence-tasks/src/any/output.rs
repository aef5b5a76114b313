//! The output of a task, a cascade or a custom question.

use florence_core::image::ImageNote;
use florence_postprocess::{Annotation, Answer, Diagnostic, Size, TextRegion};

use crate::cascade::{CascadeAnswer, CascadeName, Cascaded};
use crate::output::{Output, Timings};

/// The output of an [`AnyTask`](crate::AnyTask).
///
/// # Example
///
/// ```
/// use florence_tasks::{AnyOutput, Florence, Task};
///
/// let image = image::open("tests/data/scene.png")?;
/// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
/// assert!(!output.annotations().is_empty());
/// let AnyOutput::Task(output) = output else { unreachable!("it was a task") };
/// assert_eq!(output.task, "<OD>");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AnyOutput {
    /// Of a task.
    Task(Output<Answer>),
    /// Of a cascade.
    Cascade(CascadeName, Cascaded<CascadeAnswer>),
}

impl AnyOutput {
    /// The size of the original image in pixels, which all geometry refers to.
    ///
    /// # Example
    ///
    /// See [`AnyTask`](crate::AnyTask).
    pub fn size(&self) -> Size {
        match self {
            Self::Task(output) => output.size,
            Self::Cascade(_, output) => output.size,
        }
    }

    /// Notes about the image's file; see [`Output::image_notes`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// assert!(Florence::nano()?.run_any(&Task::Od.into(), &image)?.image_notes().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn image_notes(&self) -> &[ImageNote] {
        match self {
            Self::Task(output) => &output.image_notes,
            Self::Cascade(_, output) => &output.image_notes,
        }
    }

    /// Time by stage.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let timings = Florence::nano()?.run_any(&Task::Od.into(), &image)?.timings();
    /// assert!(timings.total() > timings.vision);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timings(&self) -> Timings {
        match self {
            Self::Task(output) => output.timings,
            Self::Cascade(_, output) => output.timings,
        }
    }

    /// Parse diagnostics, of a cascade those of all its answers.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// assert_eq!(output.diagnostics().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let (own, steps) = match self {
            Self::Task(output) => (output.diagnostics.as_slice(), [].as_slice()),
            Self::Cascade(_, output) => ([].as_slice(), output.steps.as_slice()),
        };
        own.iter()
            .chain(steps.iter().flat_map(|step| &step.diagnostics))
    }

    /// Everything with a place in the image, labeled.
    ///
    /// # Example
    ///
    /// See [`AnyOutput`].
    pub fn annotations(&self) -> Vec<Annotation> {
        match self {
            Self::Task(output) => Annotation::from_answer(&output.value),
            Self::Cascade(_, output) => output.value.annotations(),
        }
    }

    /// Keeps the objects of the answer for which `keep` is true: [`Answer::retain`],
    /// [`CascadeAnswer::retain`]. What the model wrote stays as it is: raw text, token ids, and the
    /// steps of a cascade.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let mut output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// output.retain(|found| found.label == "star");
    /// assert_eq!(output.annotations().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retain(&mut self, keep: impl FnMut(&Annotation) -> bool) {
        match self {
            Self::Task(output) => output.value.retain(keep),
            Self::Cascade(_, output) => output.value.retain(keep),
        }
    }

    /// Non-maximum suppression per label: [`Answer::nms`], [`CascadeAnswer::nms`].
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let mut output = Florence::nano()?.run_any(&Task::Od.into(), &image)?;
    /// let found = output.annotations().len();
    /// output.nms(1.0);
    /// assert_eq!(output.annotations().len(), found);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nms(&mut self, threshold: f32) {
        match self {
            Self::Task(output) => output.value.nms(threshold),
            Self::Cascade(_, output) => output.value.nms(threshold),
        }
    }

    /// The text of an answer that is one: a caption, a transcription; of a cascade its caption.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// let florence = Florence::nano()?;
    /// assert!(florence.run_any(&Task::Caption.into(), &image)?.text().is_some());
    /// assert!(florence.run_any(&Task::Od.into(), &image)?.text().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Task(output) => output.value.text(),
            Self::Cascade(_, output) => output.value.text(),
        }
    }

    /// The text regions of an OCR answer; empty for everything else.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{Florence, Task};
    ///
    /// let image = image::open("tests/data/scene.png")?;
    /// assert!(Florence::nano()?.run_any(&Task::Od.into(), &image)?.text_regions().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text_regions(&self) -> &[TextRegion] {
        match self {
            Self::Task(output) => output.value.text_regions(),
            Self::Cascade(..) => &[],
        }
    }
}

#[cfg(feature = "draw")]
impl florence_draw::Marks for AnyOutput {
    fn marks(&self) -> Vec<florence_draw::Mark> {
        match self {
            Self::Task(output) => output.marks(),
            Self::Cascade(_, output) => output.value.marks(),
        }
    }
}
