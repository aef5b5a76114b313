//! What can be wrong about run lengths.

use super::{Size, pixels};

/// Why run lengths are not a mask, or two masks cannot be put together.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Rle, RleError, Size};
///
/// let error = Rle::from_compressed(Size::new(4, 4), "5 ").unwrap_err();
/// assert_eq!(error, RleError::Byte { at: 1, byte: b' ' });
/// assert_eq!(error.to_string(), "byte 1 of the counts is 0x20, not one of '0' to 'o'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RleError {
    /// The counts are of another number of pixels than the image has.
    #[error("the counts add up to {sum}, but an image of {size} has {} pixels", pixels(*.size))]
    Sum {
        /// The size of the image.
        size: Size,
        /// The sum of the counts.
        sum: u128,
    },
    /// A byte that compressed counts do not have.
    #[error("byte {at} of the counts is {byte:#04x}, not one of '0' to 'o'")]
    Byte {
        /// The index of the byte.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// Compressed counts that end within a number.
    #[error("the counts end within a number")]
    CutOff,
    /// A compressed count below 0 or beyond 64 bits.
    #[error("count {index} is {count}, not one of 0 to {}", u64::MAX)]
    Range {
        /// The index of the count.
        index: usize,
        /// What it would be.
        count: i128,
    },
    /// Masks of different images.
    #[error("a mask of {left} cannot be put together with one of {right}")]
    Sizes {
        /// The size of the one mask.
        left: Size,
        /// The size of the other.
        right: Size,
    },
}
