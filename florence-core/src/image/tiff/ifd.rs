//! The directory of a TIFF: tags and their values.

use super::Refusal;

/// The directory of the first page.
#[derive(Debug)]
pub(super) struct Ifd<'a> {
    pub(super) file: &'a [u8],
    pub(super) big_endian: bool,
    entries: Vec<Entry<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    tag: u16,
    kind: u16,
    /// The values as they are stored.
    data: &'a [u8],
}

const CUT: &str = "the file ends inside of its directory";

impl<'a> Ifd<'a> {
    pub(super) fn first(file: &'a [u8]) -> Result<Self, Refusal> {
        let big_endian = file.starts_with(b"MM");
        let read = Reader { file, big_endian };
        // BigTIFF has eight bytes where TIFF has four or two.
        let long = read.uint(2, 2)? == 43;
        let word = if long { 8 } else { 4 };
        let start = read.uint(word, word)?;
        let start = usize::try_from(start).map_err(|_| CUT)?;
        let count = read.uint(start, if long { 8 } else { 2 })?;
        let size = 4 + 2 * word;
        let table = start.checked_add(if long { 8 } else { 2 }).ok_or(CUT)?;
        let table = file.get(table..).ok_or(CUT)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        for entry in table.chunks_exact(size).take(count) {
            let fields = Reader {
                file: entry,
                big_endian,
            };
            let (tag, kind) = (fields.uint(0, 2)? as u16, fields.uint(2, 2)? as u16);
            let bytes = fields.uint(4, word)?.checked_mul(width(kind) as u64);
            let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
            // A tag outside the file counts as missing.
            let data = bytes.and_then(|bytes| {
                if bytes <= word {
                    return entry.get(4 + word..4 + word + bytes);
                }
                let at = usize::try_from(fields.uint(4 + word, word).ok()?).ok()?;
                file.get(at..at.checked_add(bytes)?)
            });
            entries.extend(data.map(|data| Entry { tag, kind, data }));
        }
        Ok(Ifd {
            file,
            big_endian,
            entries,
        })
    }

    fn entry(&self, tag: u16) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The bytes of a tag.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.entry(tag).map(|entry| entry.data)
    }

    /// The integers of a tag; empty where it is missing or of another type.
    pub(super) fn numbers(&self, tag: u16) -> Numbers<'a> {
        let whole = |entry: &&Entry| matches!(entry.kind, 1 | 3 | 4 | 13 | 16 | 18);
        let entry = self.entry(tag).filter(whole);
        Numbers {
            data: entry.map_or(&[], |entry| entry.data),
            width: entry.map_or(1, |entry| width(entry.kind)),
            big_endian: self.big_endian,
        }
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag).get(0)
    }
}

/// Integers in the encoding of the file: a tag may hold millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a> {
    data: &'a [u8],
    width: usize,
    big_endian: bool,
}

impl<'a> Numbers<'a> {
    pub(super) fn len(&self) -> usize {
        self.data.len() / self.width
    }

    pub(super) fn get(&self, index: usize) -> Option<u64> {
        let bytes = self.data.chunks_exact(self.width).nth(index)?;
        Some(uint(bytes, self.big_endian))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u64> + 'a {
        let values = self.data.chunks_exact(self.width);
        values.map(move |bytes| uint(bytes, self.big_endian))
    }
}

/// Bytes of a value of each type.
fn width(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

struct Reader<'a> {
    file: &'a [u8],
    big_endian: bool,
}

impl Reader<'_> {
    fn uint(&self, at: usize, len: usize) -> Result<u64, Refusal> {
        let end = at.checked_add(len).ok_or(CUT)?;
        let bytes = self.file.get(at..end).ok_or(CUT)?;
        Ok(uint(bytes, self.big_endian))
    }
}

fn uint(bytes: &[u8], big_endian: bool) -> u64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian {
        bytes.iter().fold(0, join)
    } else {
        bytes.iter().rev().fold(0, join)
    }
}
