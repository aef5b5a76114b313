//! How long a caption is.

use florence_postprocess::Task;

/// The length of a caption.
///
/// # Example
///
/// ```
/// use florence_tasks::{CaptionLength, Task};
///
/// assert_eq!(CaptionLength::Paragraph.task(), Task::MoreDetailedCaption);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum CaptionLength {
    /// One sentence: [`Caption`](crate::Caption).
    #[default]
    Sentence,
    /// A few sentences: [`DetailedCaption`](crate::DetailedCaption).
    Detailed,
    /// A paragraph: [`MoreDetailedCaption`](crate::MoreDetailedCaption).
    Paragraph,
}

impl CaptionLength {
    /// The task that writes such a caption.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_tasks::{CaptionLength, Task};
    ///
    /// assert_eq!(CaptionLength::default().task(), Task::Caption);
    /// ```
    pub const fn task(self) -> Task {
        match self {
            Self::Sentence => Task::Caption,
            Self::Detailed => Task::DetailedCaption,
            Self::Paragraph => Task::MoreDetailedCaption,
        }
    }
}
