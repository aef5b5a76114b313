//! The header of a safetensors file: names, types, shapes and offsets.

use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::content::grouped;
use super::source::Source;
use crate::{Error, Result};

/// The size of a header's own length field, in bytes.
const PREFIX: usize = 8;

/// The largest accepted header; that of Florence-2-large has 110 kB.
const MAX_HEADER: u64 = 64 << 20;

/// The remedy for a truncated file.
const CUT: &str = ": the download or copy was cut short, do it again";

/// The floating-point types that weights are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    F64,
    F32,
    F16,
    BF16,
}

/// The location and type of one tensor.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Index of the checkpoint's file.
    pub(super) source: usize,
    /// The first byte in that file.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    /// `Err` holds the name of a type that weights cannot have. It is an error
    /// only for tensors that are used.
    pub(super) stored: Result<Stored, String>,
}

impl Stored {
    pub(super) fn size(self) -> usize {
        match self {
            Stored::F64 => 8,
            Stored::F32 => 4,
            Stored::F16 | Stored::BF16 => 2,
        }
    }
}

/// Reads the header of the safetensors file `source`, number `index` of the
/// checkpoint.
pub(super) fn read(source: &Source, index: usize) -> Result<BTreeMap<String, Entry>> {
    let bad = |reason: String| {
        Error::malformed(
            &source.label,
            format!("not a usable safetensors file: {reason}"),
        )
    };
    if source.len() < PREFIX as u64 {
        return Err(bad(format!(
            "it has {} bytes, the header alone needs more",
            source.len()
        )));
    }
    let prefix: [u8; PREFIX] = source
        .read(0, PREFIX)?
        .as_ref()
        .try_into()
        .map_err(|_| bad("no header".to_owned()))?;
    let len = u64::from_le_bytes(prefix);
    let room = source.len() - PREFIX as u64;
    if len > room.min(MAX_HEADER) {
        let cut = len <= MAX_HEADER && source.read(0, 9).is_ok_and(|head| head[PREFIX] == b'{');
        return Err(bad(format!(
            "the header claims {len} bytes, {} can be there{}",
            room.min(MAX_HEADER),
            if cut { CUT } else { "" }
        )));
    }
    let header = source.read(PREFIX as u64, len as usize)?;
    // Deserializing checks that the tensors fill the data without gaps or
    // overlaps and that every range fits its shape and type.
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|e| bad(format!("corrupt header: {e}")))?;
    let start = PREFIX as u64 + len;
    let data = source.len() - start;
    let described = metadata.data_len() as u64;
    if described > data {
        return Err(bad(format!(
            "it has {} of {} bytes{CUT}",
            grouped(source.len()),
            grouped(start.saturating_add(described)),
        )));
    }
    if described != data {
        return Err(bad(format!(
            "the header describes {described} bytes of data, the file has {data}: it was \
             written over"
        )));
    }
    Ok(metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let entry = Entry {
                source: index,
                offset: start + info.data_offsets.0 as u64,
                shape: info.shape.clone(),
                stored: match info.dtype {
                    Dtype::F64 => Ok(Stored::F64),
                    Dtype::F32 => Ok(Stored::F32),
                    Dtype::F16 => Ok(Stored::F16),
                    Dtype::BF16 => Ok(Stored::BF16),
                    other => Err(other.to_string()),
                },
            };
            (name, entry)
        })
        .collect())
}
