//! COCO's serialization of run lengths.

use super::{Rle, RleError, Size};

/// What is written.
#[derive(serde::Serialize)]
pub(super) struct Written {
    size: [u32; 2],
    counts: String,
}

/// What is read.
#[derive(serde::Deserialize)]
pub(super) struct Read {
    size: [u32; 2],
    counts: Counts,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Counts {
    Compressed(String),
    Listed(Vec<u64>),
}

impl From<Rle> for Written {
    fn from(rle: Rle) -> Self {
        Self {
            size: [rle.size.height, rle.size.width],
            counts: rle.to_compressed(),
        }
    }
}

impl TryFrom<Read> for Rle {
    type Error = RleError;

    fn try_from(read: Read) -> Result<Self, RleError> {
        let [height, width] = read.size;
        let size = Size::new(width, height);
        match read.counts {
            Counts::Compressed(text) => Self::from_compressed(size, &text),
            Counts::Listed(counts) => Self::from_counts(size, counts),
        }
    }
}
