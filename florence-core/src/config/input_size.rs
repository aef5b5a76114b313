//! The size of the network's input.

use std::fmt;
use std::str::FromStr;

use super::ImagePreparation;
use crate::{Error, Result};

/// The size of an image as the network sees it, in pixels.
///
/// # Example
///
/// ```
/// use florence_core::InputSize;
///
/// assert_eq!("64".parse::<InputSize>()?, InputSize::square(64));
/// let wide: InputSize = "1024x512".parse()?;
/// assert_eq!((wide.width, wide.height), (1024, 512));
/// assert_eq!(wide.to_string(), "1024x512");
/// # Ok::<(), florence_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputSize {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl InputSize {
    /// A square of `side` pixels.
    ///
    /// # Example
    ///
    /// See [`InputSize`].
    pub const fn square(side: usize) -> Self {
        Self {
            width: side,
            height: side,
        }
    }

    /// Whether both sides are 1 to [`ImagePreparation::MAX_SIDE`].
    pub(crate) fn is_plausible(self) -> bool {
        let range = 1..=ImagePreparation::MAX_SIDE;
        range.contains(&self.width) && range.contains(&self.height)
    }
}

/// `WIDTHxHEIGHT`.
impl fmt::Display for InputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for InputSize {
    type Err = Error;

    /// Reads `N` for a square, or `WIDTHxHEIGHT`.
    ///
    /// # Example
    ///
    /// ```
    /// let error = "64x0".parse::<florence_core::InputSize>().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "argument `image_size` is \"64x0\", expected N or WIDTHxHEIGHT, of 1 to 4096 pixels each",
    /// );
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
        let size = width.parse().ok().zip(height.parse().ok());
        let size = size.map(|(width, height)| Self { width, height });
        size.filter(|size| size.is_plausible()).ok_or_else(|| {
            let expected = format!(
                "N or WIDTHxHEIGHT, of 1 to {} pixels each",
                ImagePreparation::MAX_SIDE
            );
            Error::argument("image_size", format!("{text:?}"), expected)
        })
    }
}
