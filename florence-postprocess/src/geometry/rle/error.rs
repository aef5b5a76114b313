//! Errors of run-length encodings.

use std::fmt;

use super::{Size, pixels};

/// Invalid run lengths, or masks of different sizes.
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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RleError {
    /// The counts do not add up to the pixels of the image.
    Sum {
        /// The size of the image.
        size: Size,
        /// The sum of the counts.
        sum: u128,
    },
    /// A byte outside the alphabet of compressed counts.
    Byte {
        /// The index of the byte.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// Compressed counts that end within a number.
    CutOff,
    /// A compressed count below 0 or beyond 64 bits.
    Range {
        /// The index of the count.
        index: usize,
        /// What it would be.
        count: i128,
    },
    /// Masks of different images.
    Sizes {
        /// The size of the one mask.
        left: Size,
        /// The size of the other.
        right: Size,
    },
}

impl fmt::Display for RleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum { size, sum } => write!(
                f,
                "the counts add up to {sum}, but an image of {size} has {} pixels",
                pixels(*size)
            ),
            Self::Byte { at, byte } => write!(
                f,
                "byte {at} of the counts is {byte:#04x}, not one of '0' to 'o'"
            ),
            Self::CutOff => f.write_str("the counts end within a number"),
            Self::Range { index, count } => {
                write!(f, "count {index} is {count}, not one of 0 to {}", u64::MAX)
            }
            Self::Sizes { left, right } => {
                write!(f, "a mask of {left} cannot be combined with one of {right}")
            }
        }
    }
}

impl std::error::Error for RleError {}
