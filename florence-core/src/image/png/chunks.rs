//! The chunks of a PNG.

use std::fmt;

/// A chunk: four letters and data, which may be truncated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) name: [u8; 4],
    /// The length that the chunk declares.
    pub(super) len: usize,
    /// The data in the file: `len` bytes, or fewer at its end.
    pub(super) data: &'a [u8],
    /// The checksum after the data.
    stored: Option<u32>,
    /// The checksum of name and data.
    computed: u32,
}

impl<'a> Chunk<'a> {
    /// The data, if complete.
    pub(super) fn whole(&self) -> Result<&'a [u8], String> {
        if self.data.len() < self.len {
            return Err(format!("the file ends inside of {self}"));
        }
        Ok(self.data)
    }

    /// Whether the checksum is right; `None` where the file ends before it.
    pub(super) fn checksum(&self) -> Option<bool> {
        self.stored.map(|stored| stored == self.computed)
    }

    /// The same without its first `n` bytes.
    pub(super) fn skip(self, n: usize) -> Self {
        Chunk {
            len: self.len.saturating_sub(n),
            data: self.data.get(n..).unwrap_or_default(),
            ..self
        }
    }
}

impl fmt::Display for Chunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its chunk {}", String::from_utf8_lossy(&self.name))
    }
}

/// Iterates over chunks; an error where there is something else.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn after_signature(bytes: &'a [u8]) -> Self {
        Chunks {
            rest: bytes.get(8..).unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let (len, rest) = self.rest.split_first_chunk()?;
        let (name, rest) = rest.split_first_chunk()?;
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        if !name.iter().all(word) {
            return Some(Err("damaged between its chunks".into()));
        }
        let len = u32::from_be_bytes(*len) as usize;
        let data = &rest[..len.min(rest.len())];
        self.rest = &rest[data.len()..];
        let stored = self.rest.first_chunk().map(|b| u32::from_be_bytes(*b));
        self.rest = self.rest.get(4..).unwrap_or_default();
        let mut crc = crc32fast::Hasher::new();
        crc.update(name);
        crc.update(data);
        Some(Ok(Chunk {
            name: *name,
            len,
            data,
            stored,
            computed: crc.finalize(),
        }))
    }
}
