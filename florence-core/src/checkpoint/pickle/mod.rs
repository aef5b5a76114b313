//! PyTorch files, `pytorch_model.bin`: a zip archive with a pickled dictionary and one entry of raw
//! numbers per storage.
//!
//! A pickle is a program, and unpickling an untrusted one can run anything. This reader runs
//! nothing: it interprets the few instructions that a dictionary of tensors consists of and keeps
//! names, shapes and offsets. Archives with compressed entries, which PyTorch does not write, are
//! refused, so a file cannot claim more numbers than it has bytes.

mod archive;
mod machine;

use std::collections::BTreeMap;

use super::header::Entry;
use super::source::Source;
use crate::{Error, Result};
use archive::{Directory, Place};
use machine::TensorRef;

/// The instructions for the 918 tensors of Florence-2-large take 130 kB.
const MAX_PROGRAM: u64 = 4 << 20;

/// The signature of a zip archive.
pub(super) const MAGIC: [u8; 4] = *b"PK\x03\x04";

/// The tensors of a file, and the keys that lead to them if nested.
pub(super) struct StateDict {
    pub(super) tensors: BTreeMap<String, Entry>,
    pub(super) path: String,
}

/// Reads the names and offsets of all tensors in the PyTorch file `source`, number `index` of the
/// checkpoint.
pub(super) fn read(source: &Source, index: usize) -> Result<StateDict> {
    let bad = |reason: String| {
        Error::malformed(
            &source.label,
            format!("not a usable PyTorch file: {reason}"),
        )
    };
    let archive = match archive::read_directory(source)? {
        Directory::Stored(archive) => archive,
        Directory::Foreign(names) => return Err(foreign(source, &names)),
    };
    let program = archive
        .iter()
        .find(|(name, _)| name.ends_with("/data.pkl"))
        .ok_or_else(|| foreign(source, &archive.keys().cloned().collect::<Vec<_>>()))?;
    let root = program.0.trim_end_matches("data.pkl").to_owned();
    if let Some(order) = archive.get(&format!("{root}byteorder"))
        && source
            .read(order.offset, order.len.min(8) as usize)?
            .as_ref()
            != b"little"
    {
        return Err(bad("its numbers are not little-endian".to_owned()));
    }
    let place = program.1;
    if place.len > MAX_PROGRAM {
        return Err(bad(format!(
            "data.pkl has {} bytes, expected at most {MAX_PROGRAM}",
            place.len
        )));
    }
    let program = source.read(place.offset, place.len as usize)?;
    let found = machine::run(&program).map_err(|reason| bad(format!("data.pkl {reason}")))?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in found.tensors {
        let storage = archive
            .get(&format!("{root}data/{}", tensor.storage))
            .ok_or_else(|| bad(format!("tensor `{name}` has no data in the archive")))?;
        let entry = locate(&tensor, *storage, index)
            .map_err(|reason| bad(format!("tensor `{name}` {reason}")))?;
        tensors.insert(name, entry);
    }
    Ok(StateDict {
        tensors,
        path: found.path,
    })
}

/// The error for an archive of other things, such as a zipped checkpoint folder.
fn foreign(source: &Source, names: &[String]) -> Error {
    const SHOWN: usize = 3;
    let mut shown = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        shown.push_str(", …");
    }
    Error::malformed(
        &source.label,
        format!("this is a zip archive ({shown}), not the weights: unpack it"),
    )
}

/// The location of a tensor's data. A tensor whose rows are not contiguous in its storage is kept
/// as unusable.
fn locate(tensor: &TensorRef, storage: Place, index: usize) -> Result<Entry, String> {
    let mut dense = 1u64;
    let mut stored = tensor.stored.clone();
    for (size, stride) in tensor.shape.iter().zip(&tensor.stride).rev() {
        if *size != 1 && *stride != dense {
            stored = Err(format!("a view with strides {:?}", tensor.stride));
        }
        dense = dense
            .checked_mul(*size)
            .ok_or_else(|| format!("has the impossible shape {:?}", tensor.shape))?;
    }
    let size = stored.as_ref().map_or(1, |s| s.size() as u64);
    let start = tensor.offset.checked_mul(size);
    let end = tensor
        .offset
        .checked_add(dense)
        .and_then(|n| n.checked_mul(size))
        .filter(|end| *end <= storage.len);
    let (Some(start), Some(_)) = (start, end) else {
        return Err(format!(
            "needs elements {} to {}, its storage has {} bytes",
            tensor.offset,
            tensor.offset.saturating_add(dense),
            storage.len
        ));
    };
    let shape = tensor
        .shape
        .iter()
        .map(|n| usize::try_from(*n).ok())
        .collect::<Option<_>>();
    Ok(Entry {
        source: index,
        offset: storage.offset + start,
        shape: shape.ok_or("is too large for this machine")?,
        stored,
    })
}

#[cfg(test)]
mod tests;
