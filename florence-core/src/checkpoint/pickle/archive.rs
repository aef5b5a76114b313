//! The zip archive around a pickle: where the bytes of each stored entry are in the file.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::super::source::Source;
use crate::{Error, Result};

/// The bytes of an entry in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// The contents of an archive.
pub(super) enum Directory {
    /// All entries by name, none compressed.
    Stored(BTreeMap<String, Place>),
    /// Names of entries, some of them compressed, none of them PyTorch's.
    Foreign(Vec<String>),
}

/// Reads the list of entries.
pub(super) fn read_directory(source: &Source) -> Result<Directory> {
    let bad = |reason: &str| {
        Error::malformed(&source.label, format!("not a usable zip archive: {reason}"))
    };
    let reader = BufReader::new(SourceReader { source, at: 0 });
    let damaged = |error| bad(&format!("it was cut off or is damaged ({error})"));
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    let mut stored = BTreeMap::new();
    let mut compressed = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(damaged)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.encrypted() || entry.compression() != CompressionMethod::Stored {
            compressed.push(name);
            continue;
        }
        let (start, len) = (entry.data_start(), entry.size());
        let end = start.and_then(|start| start.checked_add(len));
        let (Some(offset), Some(end)) = (start, end) else {
            return Err(bad("an entry lacks its place"));
        };
        if len != entry.compressed_size() || end > source.len() {
            return Err(bad("an entry is cut off"));
        }
        stored.insert(name, Place { offset, len });
    }
    if compressed.is_empty() {
        return Ok(Directory::Stored(stored));
    }
    let names: Vec<String> = compressed.into_iter().chain(stored.into_keys()).collect();
    if names.iter().any(|name| name.ends_with("/data.pkl")) {
        return Err(bad("an entry is compressed or encrypted"));
    }
    Ok(Directory::Foreign(names))
}

/// A source as the zip reader takes it.
struct SourceReader<'a> {
    source: &'a Source,
    at: u64,
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.len().saturating_sub(self.at);
        let len = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.source.read(self.at, len).map_err(io::Error::other)?;
        buffer[..len].copy_from_slice(&bytes);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for SourceReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
