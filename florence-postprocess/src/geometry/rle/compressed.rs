//! COCO's compressed counts: five bits a character, each count after the third as the difference
//! from the last but one.

use super::{Rle, RleError};
use crate::geometry::Size;

/// The character of five zero bits.
const ZERO: u8 = b'0';
/// Set in a character that more of the same number follows.
const MORE: u8 = 0x20;
/// The sign, in the last character of a number.
const SIGN: u8 = 0x10;
/// Characters of the longest number that a count can be.
const LONGEST: u32 = 14;

impl Rle {
    /// The counts as `pycocotools` compresses them, character for character.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let rle = Rle::from_counts(Size::new(10, 10), vec![40, 3, 7, 50])?;
    /// assert_eq!(rle.to_compressed(), "X137_1");
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn to_compressed(&self) -> String {
        let mut text = String::new();
        for (index, count) in self.counts.iter().enumerate() {
            let mut rest = i128::from(*count);
            if index > 2 {
                rest -= i128::from(self.counts[index - 2]);
            }
            loop {
                let bits = (rest & 0x1f) as u8;
                rest >>= 5;
                let done = rest == if bits & SIGN == 0 { 0 } else { -1 };
                text.push(char::from(ZERO + bits + if done { 0 } else { MORE }));
                if done {
                    break;
                }
            }
        }
        text
    }

    /// The mask with these compressed counts.
    ///
    /// # Errors
    ///
    /// [`RleError`] where a character is none of the encoding's, a number is cut off, below 0 or
    /// beyond 64 bits, or the counts do not add up to the pixels of the image.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_postprocess::{Rle, Size};
    ///
    /// let rle = Rle::from_compressed(Size::new(10, 10), "X137_1")?;
    /// assert_eq!(rle.counts(), [40, 3, 7, 50]);
    /// # Ok::<(), florence_postprocess::RleError>(())
    /// ```
    pub fn from_compressed(size: Size, text: &str) -> Result<Self, RleError> {
        let mut counts: Vec<u64> = Vec::new();
        let (mut number, mut length) = (0i128, 0u32);
        for (at, byte) in text.bytes().enumerate() {
            let bits = byte.wrapping_sub(ZERO);
            if bits > 0x3f {
                return Err(RleError::Byte { at, byte });
            }
            number |= i128::from(bits & 0x1f) << (5 * length);
            length += 1;
            if bits & MORE != 0 {
                if length == LONGEST {
                    let (index, count) = (counts.len(), number);
                    return Err(RleError::Range { index, count });
                }
                continue;
            }
            if bits & SIGN != 0 {
                number |= -1i128 << (5 * length);
            }
            let index = counts.len();
            if index > 2 {
                number += i128::from(counts[index - 2]);
            }
            let count = u64::try_from(number).map_err(|_| RleError::Range {
                index,
                count: number,
            })?;
            counts.push(count);
            (number, length) = (0, 0);
        }
        if length > 0 {
            return Err(RleError::CutOff);
        }
        Self::from_counts(size, counts)
    }
}
