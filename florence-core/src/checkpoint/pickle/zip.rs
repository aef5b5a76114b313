//! The part of the zip format that PyTorch's archives use: a directory at the end, uncompressed
//! entries, 64-bit extensions.

use std::collections::BTreeMap;

use super::super::source::Source;
use crate::{Error, Result};

/// The byte range of an entry in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// The directory of a checkpoint has about a thousand entries of 100 bytes.
const MAX_DIRECTORY: u64 = 16 << 20;

/// The end record without its comment, which may have 65,535 bytes more.
const END: usize = 22;
const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END64_LOCATOR: u64 = 20;
const END64_SIGNATURE: &[u8] = b"PK\x06\x06";
const ENTRY: usize = 46;
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";
const LOCAL: usize = 30;
const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";

/// The contents of an archive.
pub(super) enum Directory {
    /// All entries by name.
    Stored(BTreeMap<String, Place>),
    /// Names of entries, some of them compressed, none of them PyTorch's.
    Foreign(Vec<String>),
}

/// Reads the list of entries.
pub(super) fn read_directory(source: &Source) -> Result<Directory> {
    let bad = |reason: &str| {
        Error::malformed(&source.label, format!("not a usable zip archive: {reason}"))
    };
    let (offset, len) = directory_place(source)?.ok_or_else(|| bad("it was cut off"))?;
    if len > MAX_DIRECTORY {
        return Err(bad("its directory is too large"));
    }
    let directory = source.read(offset, len as usize)?;
    let mut rest: &[u8] = &directory;
    let mut entries = BTreeMap::new();
    let mut compressed = Vec::new();
    while rest.len() >= ENTRY && rest.starts_with(ENTRY_SIGNATURE) {
        let sizes = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
        let end = ENTRY + sizes.iter().sum::<usize>();
        let Some(variable) = rest.get(ENTRY..end) else {
            return Err(bad("its directory is cut off"));
        };
        let name = String::from_utf8_lossy(&variable[..sizes[0]]).into_owned();
        if u16_at(rest, 8) & 1 != 0 || u16_at(rest, 10) != 0 {
            compressed.push(name);
            rest = &rest[end..];
            continue;
        }
        let extra = &variable[sizes[0]..sizes[0] + sizes[1]];
        // Uncompressed size, compressed size and place: those that do not fit
        // are in the extra field, in this order.
        let mut wide = wide_fields(extra);
        let mut field = |at: usize| match u64::from(u32_at(rest, at)) {
            0xffff_ffff => wide.next(),
            value => Some(value),
        };
        let (len, stored, local) = (field(24), field(20), field(42));
        let (Some(len), Some(stored), Some(local)) = (len, stored, local) else {
            return Err(bad("an entry lacks its size"));
        };
        if len != stored {
            return Err(bad("an entry is compressed"));
        }
        let header = source.read(local, LOCAL)?;
        if !header.starts_with(LOCAL_SIGNATURE) {
            return Err(bad("an entry is not where the directory says"));
        }
        let skip = LOCAL as u64 + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let place = Place {
            offset: local + skip,
            len,
        };
        if place
            .offset
            .checked_add(len)
            .is_none_or(|end| end > source.len())
        {
            return Err(bad("an entry is cut off"));
        }
        entries.insert(name, place);
        rest = &rest[end..];
    }
    if compressed.is_empty() {
        return Ok(Directory::Stored(entries));
    }
    let names: Vec<String> = compressed.into_iter().chain(entries.into_keys()).collect();
    if names.iter().any(|name| name.ends_with("/data.pkl")) {
        return Err(bad("an entry is compressed or encrypted"));
    }
    Ok(Directory::Foreign(names))
}

/// Offset and length of the directory, from the record at the end of the file.
fn directory_place(source: &Source) -> Result<Option<(u64, u64)>> {
    let tail_len = source.len().min(END as u64 + 0xffff);
    let tail_start = source.len() - tail_len;
    let tail = source.read(tail_start, tail_len as usize)?;
    let Some(at) = (0..(tail.len() + 1).saturating_sub(END))
        .rev()
        .find(|at| tail[*at..].starts_with(END_SIGNATURE))
    else {
        return Ok(None);
    };
    let end = &tail[at..];
    let (len, offset) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    if len != 0xffff_ffff && offset != 0xffff_ffff {
        return Ok(Some((offset, len)));
    }
    let Some(locator) = (tail_start + at as u64).checked_sub(END64_LOCATOR) else {
        return Ok(None);
    };
    let locator = source.read(locator, END64_LOCATOR as usize)?;
    let end64 = source.read(u64_at(&locator, 8), 56)?;
    if !end64.starts_with(END64_SIGNATURE) {
        return Ok(None);
    }
    Ok(Some((u64_at(&end64, 48), u64_at(&end64, 40))))
}

/// The 64-bit numbers in an entry's extra field with the id 1.
fn wide_fields(extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut rest = extra;
    let mut found: &[u8] = &[];
    while rest.len() >= 4 {
        let (id, len) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let Some(body) = rest.get(4..4 + len) else {
            break;
        };
        if id == 1 {
            found = body;
        }
        rest = &rest[4 + len..];
    }
    found.chunks_exact(8).map(|b| u64_at(b, 0))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}
