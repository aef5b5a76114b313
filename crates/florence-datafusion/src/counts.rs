//! What has been done in this process, for progress and measurements.

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) static ROWS: AtomicU64 = AtomicU64::new(0);
pub(crate) static QUESTIONS: AtomicU64 = AtomicU64::new(0);
pub(crate) static IMAGES: AtomicU64 = AtomicU64::new(0);

/// What the functions have done in this process so far.
///
/// # Example
///
/// ```
/// use florence_datafusion::Counts;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let before = Counts::now();
/// let ctx = florence_datafusion::context()?;
/// ctx.sql("SELECT florence('no.png', '<OD>')").await?.collect().await?;
/// assert!(Counts::now().rows > before.rows);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls of a function for a row, failures and NULL included.
    pub rows: u64,
    /// Questions that a model has answered; equal ones that are near each other are one.
    pub questions: u64,
    /// Images that a vision tower has encoded.
    pub images: u64,
}

impl Counts {
    /// The counts so far.
    ///
    /// # Example
    ///
    /// See [`Counts`].
    pub fn now() -> Self {
        Self {
            rows: ROWS.load(Ordering::Relaxed),
            questions: QUESTIONS.load(Ordering::Relaxed),
            images: IMAGES.load(Ordering::Relaxed),
        }
    }
}
