//! The files of a checkpoint folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::header::{self, Entry};
use super::pickle;
use super::source::Source;
use crate::config::read::parse_object;
use crate::{Error, Result};

/// No text file of a checkpoint is larger; the tokenizer has 1.4 MB.
const MAX_TEXT: u64 = 64 << 20;

/// Weights in one file.
pub(crate) const SINGLE: &str = "model.safetensors";
/// The index of weights in several files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The same two in PyTorch's own format.
pub(crate) const PICKLE: &str = "pytorch_model.bin";
pub(crate) const PICKLE_INDEX: &str = "pytorch_model.bin.index.json";

/// Files, the tensors in them, and the file to name when one is missing.
pub(super) type Opened = (Vec<Source>, BTreeMap<String, Entry>, String);

/// Reads a file that must be there.
pub(super) fn required(dir: &Path, name: &str) -> Result<Vec<u8>> {
    optional(dir, name)?.ok_or_else(|| Error::MissingFile {
        dir: dir.to_owned(),
        expected: name.to_owned(),
    })
}

/// Reads a file that may be there.
pub(super) fn optional(dir: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    let path = dir.join(name);
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(&path, e)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(&path, e))?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(Error::malformed(
            &path.display().to_string(),
            format!("larger than {MAX_TEXT} bytes, which is no configuration"),
        ));
    }
    Ok(Some(bytes))
}

/// Opens whatever weights the folder has, safetensors before pickles.
pub(super) fn weights(dir: &Path) -> Result<Opened> {
    for (single, index) in [(SINGLE, INDEX), (PICKLE, PICKLE_INDEX)] {
        let path = dir.join(single);
        if path.exists() {
            let source = Source::open(&path)?;
            let entries = entries(&source, 0)?;
            return Ok((vec![source], entries, path.display().to_string()));
        }
        if let Some(bytes) = optional(dir, index)? {
            return sharded(dir, index, &bytes);
        }
    }
    Err(Error::MissingFile {
        dir: dir.to_owned(),
        expected: format!("{SINGLE}, {INDEX} or {PICKLE}"),
    })
}

/// Reads the names and places of a file's tensors, by what it is and not by
/// what it is called.
pub(super) fn entries(source: &Source, number: usize) -> Result<BTreeMap<String, Entry>> {
    let magic = source.read(0, source.len().min(4) as usize)?;
    if magic.starts_with(&pickle::MAGIC) {
        return pickle::read(source, number);
    }
    if magic.starts_with(&[0x80, 0x02]) {
        return Err(Error::malformed(
            &source.label,
            "in PyTorch's format from before version 1.6, expected safetensors or a newer \
             PyTorch's file: load and save it again",
        ));
    }
    header::read(source, number)
}

/// Opens every file that an index names.
fn sharded(dir: &Path, index_name: &str, index: &[u8]) -> Result<Opened> {
    let label = dir.join(index_name).display().to_string();
    let files = shard_names(&label, index)?;
    let mut sources = Vec::with_capacity(files.len());
    let mut tensors = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let path = dir.join(file);
        if !path.exists() {
            return Err(Error::MissingFile {
                dir: dir.to_owned(),
                expected: format!("{file}, which {index_name} names"),
            });
        }
        let source = Source::open(&path)?;
        for (name, entry) in entries(&source, number)? {
            if tensors.insert(name.clone(), entry).is_some() {
                return Err(Error::malformed(
                    &source.label,
                    format!("tensor `{name}` is in another file of {index_name} too"),
                ));
            }
        }
        sources.push(source);
    }
    Ok((sources, tensors, label))
}

/// The distinct files of a sharded checkpoint's index, in order.
///
/// The index is untrusted: a file must lie in the folder itself.
pub(crate) fn shard_names(label: &str, index: &[u8]) -> Result<Vec<String>> {
    let map = parse_object(label, index)?;
    let Some(Value::Object(weight_map)) = map.get("weight_map") else {
        return Err(Error::malformed(
            label,
            "no `weight_map` from tensor names to files",
        ));
    };
    let mut files = BTreeSet::new();
    for (tensor, file) in weight_map {
        match file.as_str() {
            Some(file) if is_plain_name(file) => files.insert(file.to_owned()),
            _ => {
                return Err(Error::malformed(
                    label,
                    format!(
                        "`{tensor}` is said to be in {file}, expected the name of a file beside \
                         the index"
                    ),
                ));
            }
        };
    }
    if files.is_empty() || files.len() > 1024 {
        return Err(Error::malformed(
            label,
            format!("{} files, expected 1 to 1024", files.len()),
        ));
    }
    Ok(files.into_iter().collect())
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}
