//! Byte sources of tensor data (file or memory).

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use crate::{Error, Result};

/// A weights file: on disk, or in memory.
///
/// On disk only the header is kept; parts of tensors are read on demand, so opening takes no time,
/// loading never holds the file twice, and threads read in parallel.
#[derive(Debug)]
pub(super) struct Source {
    /// The name for messages.
    pub(super) label: String,
    data: Data,
    len: u64,
}

#[derive(Debug)]
enum Data {
    File(File),
    Bytes(Cow<'static, [u8]>),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let metadata = file.metadata().map_err(|e| Error::io(path, e))?;
        if !metadata.is_file() {
            return Err(Error::malformed(&path.display().to_string(), "not a file"));
        }
        Ok(Source {
            label: path.display().to_string(),
            len: metadata.len(),
            data: Data::File(file),
        })
    }

    pub(super) fn bytes(label: &str, bytes: Cow<'static, [u8]>) -> Self {
        Source {
            label: label.to_owned(),
            len: bytes.len() as u64,
            data: Data::Bytes(bytes),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads exactly `len` bytes at `offset`. The range is checked against the
    /// file before anything is allocated.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>> {
        let end = offset
            .checked_add(len as u64)
            .filter(|&end| end <= self.len);
        let Some(end) = end else {
            return Err(Error::malformed(
                &self.label,
                format!(
                    "truncated: {len} bytes asked for at offset {offset}, the file has {}",
                    self.len
                ),
            ));
        };
        match &self.data {
            Data::Bytes(bytes) => Ok(Cow::Borrowed(&bytes[offset as usize..end as usize])),
            Data::File(file) => {
                let mut buffer = vec![0; len];
                read_exact_at(file, &mut buffer, offset)
                    .map_err(|e| Error::malformed(&self.label, format!("cannot be read: {e}")))?;
                Ok(Cow::Owned(buffer))
            }
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
