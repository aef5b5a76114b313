//! The compressed pixels, which are spread over chunks.

use super::{Chunk, Chunks, Header};

/// Maximum bytes that Pillow decompresses at a time.
const BLOCK: usize = 1 << 16;

/// The chunks that hold pixels, block by block.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    chunks: Chunks<'a>,
    chunk: Chunk<'a>,
    /// Bytes of the chunk that were returned.
    given: usize,
}

/// Some compressed bytes, never empty.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether they start a chunk whose checksum is wrong.
    pub(super) bad_checksum: bool,
}

impl<'a> Stream<'a> {
    pub(super) fn new(chunks: Chunks<'a>, first: Chunk<'a>) -> Self {
        Stream {
            chunks,
            chunk: first,
            given: 0,
        }
    }

    /// The next bytes, or `None` where another chunk or the end of the file
    /// comes first.
    pub(super) fn block(&mut self, header: &mut Header) -> Result<Option<Block<'a>>, String> {
        while self.given >= self.chunk.len {
            let Some(chunk) = self.chunks.next().transpose()? else {
                return Ok(None);
            };
            self.chunk = match &chunk.name {
                b"IDAT" | b"DDAT" => chunk,
                b"fdAT" => header.frame_data(chunk)?,
                _ => return Ok(None),
            };
            self.given = 0;
        }
        let rest = self.chunk.data.get(self.given..).unwrap_or_default();
        let bytes = &rest[..BLOCK.min(rest.len())];
        let bad_checksum = self.given == 0 && self.chunk.checksum() == Some(false);
        self.given += bytes.len();
        Ok((!bytes.is_empty()).then_some(Block {
            bytes,
            bad_checksum,
        }))
    }

    /// What follows the chunk that was read last.
    pub(super) fn into_chunks(self) -> Chunks<'a> {
        self.chunks
    }
}
