//! The byte ranges of strips and tiles in the file.

use super::ifd::{Ifd, Numbers};

#[derive(Debug)]
pub(super) struct Stored<'a> {
    file: &'a [u8],
    offsets: Numbers<'a>,
    counts: Numbers<'a>,
    /// All offsets from low to high, where counts are missing.
    starts: Vec<u64>,
}

impl<'a> Stored<'a> {
    /// The first `blocks` blocks, if the file has an offset for each.
    pub(super) fn read(ifd: &Ifd<'a>, tags: [u16; 2], blocks: usize) -> Result<Self, String> {
        let [offsets, counts] = tags.map(|tag| ifd.numbers(tag));
        if offsets.len() < blocks {
            return Err(format!(
                "{} strips or tiles, expected {blocks}",
                offsets.len()
            ));
        }
        let mut starts = Vec::new();
        if counts.len() < blocks {
            starts.extend(offsets.iter().take(blocks));
            starts.sort_unstable();
        }
        Ok(Stored {
            file: ifd.file,
            offsets,
            counts,
            starts,
        })
    }

    /// The bytes from where a block starts to the end of the file.
    pub(super) fn rest(&self, index: usize) -> &'a [u8] {
        let start = self.offsets.get(index);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let rest = start.and_then(|start| self.file.get(start..));
        rest.unwrap_or_default()
    }

    /// The bytes of a block: as many as the file says, or up to where the next
    /// block starts.
    pub(super) fn block(&self, index: usize) -> &'a [u8] {
        let rest = self.rest(index);
        let count = self.counts.get(index).or_else(|| {
            let start = self.offsets.get(index)?;
            let next = self.starts.partition_point(|other| *other <= start);
            Some(self.starts.get(next)? - start)
        });
        let count = count.and_then(|count| usize::try_from(count).ok());
        &rest[..count.unwrap_or(usize::MAX).min(rest.len())]
    }
}
