//! What is reported of a damaged file.

use std::fmt;

/// What is wrong with a file whose pixels could be recovered.
///
/// libjpeg-turbo issues a warning for most of this, which Pillow drops.
///
/// # Example
///
/// ```
/// use bitexact_jpeg::{DecodeOptions, decode};
///
/// let mut file = std::fs::read("tests/data/jpeg/noise_rst.jpg")?;
/// let restart = file.windows(2).rposition(|pair| pair[0] == 0xff && pair[1] & 0xf8 == 0xd0);
/// file.drain(restart.unwrap()..).for_each(drop);
/// file.extend([0xff, 0xd9]);
/// let damage = decode(&file, &DecodeOptions::new())?.damage.unwrap();
/// assert_eq!(damage.what, "1 restart marker missing or out of order; the data ends early");
/// assert!(damage.to_string().starts_with(&damage.what));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// What is wrong, in words; several kinds of damage are separated by
    /// semicolons.
    pub what: String,
    /// The first row of pixels that may be affected, where that is known.
    pub from_row: Option<u32>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.from_row
            .map_or(Ok(()), |row| write!(f, ", from row {row} on"))
    }
}
