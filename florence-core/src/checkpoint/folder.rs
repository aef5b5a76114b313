//! The files of a checkpoint folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::content::{self, Expected};
use super::file_names::{INDEX, PICKLE, PICKLE_INDEX, SINGLE};
use super::header::{self, Entry};
use super::source::Source;
use super::{names, pickle, quantized, surroundings};
use crate::config::read::parse_object;
use crate::{Error, Result};

/// Maximum size of a text file of a checkpoint; the tokenizer has 1.4 MB.
const MAX_TEXT: u64 = 64 << 20;

/// Maximum number of weight files of a network.
const MAX_SHARDS: usize = 1024;

/// Opened weights: their tensors have the bare names of a layout.
pub(super) struct Opened {
    pub(super) sources: Vec<Source>,
    pub(super) tensors: BTreeMap<String, Entry>,
    /// The file to name when a tensor is missing.
    pub(super) file: String,
    pub(super) warnings: Vec<String>,
}

/// Reads an optional file.
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
        let label = path.display().to_string();
        content::check(&label, &bytes, bytes.len() as u64, Expected::Json)?;
        return Err(Error::malformed(
            &label,
            format!("larger than {MAX_TEXT} bytes, which is no configuration"),
        ));
    }
    Ok(Some(bytes))
}

/// Opens whatever weights the folder has, safetensors before pickles, standard names before others.
pub(super) fn weights(dir: &Path) -> Result<Opened> {
    for (single, index) in [(SINGLE, INDEX), (PICKLE, PICKLE_INDEX)] {
        if dir.join(single).exists() {
            return files(dir, &[single.to_owned()], single);
        }
        if let Some(bytes) = optional(dir, index)? {
            let label = dir.join(index).display().to_string();
            return files(dir, &shard_names(&label, &bytes)?, index);
        }
    }
    match other_weights(dir)?.as_slice() {
        [] => Err(surroundings::no_weights(dir)),
        names => files(dir, names, &names[0]),
    }
}

/// Whether the folder has any weights, whole or not.
pub(super) fn has_weights(dir: &Path) -> Result<bool> {
    let usual = [SINGLE, INDEX, PICKLE, PICKLE_INDEX];
    Ok(usual.iter().any(|name| dir.join(name).exists()) || !other_weights(dir)?.is_empty())
}

/// Weight files under other names: the only one, or all shards of one checkpoint.
fn other_weights(dir: &Path) -> Result<Vec<String>> {
    // Files that training scripts write beside the network's weights.
    const OTHERS: [&str; 11] = [
        "adapter_model",
        "training_args",
        "optimizer",
        "scheduler",
        "scaler",
        "rng_state",
        "random_states",
        "openvino",
        "trainer_state",
        "zero_pp_rank",
        "bf16_zero_pp_rank",
    ];
    let all = surroundings::names(dir)?;
    let with_end = |ends: &[&str]| -> Vec<String> {
        let fits = |name: &&String| {
            ends.iter().any(|end| name.ends_with(end))
                && !OTHERS.iter().any(|other| name.starts_with(other))
                && is_plain_name(name)
        };
        all.iter().filter(fits).cloned().collect()
    };
    let mut found = with_end(&[".safetensors"]);
    if found.is_empty() {
        found = with_end(&[".bin", ".pt", ".pth", ".ckpt"]);
    }
    // An OpenVINO model has its weights in a file beside its description.
    found.retain(|name| {
        let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        !all.contains(&format!("{stem}.xml"))
    });
    if found.len() < 2 || are_parts(&found) {
        return Ok(found);
    }
    let shown: Vec<&str> = found.iter().take(5).map(String::as_str).collect();
    Err(Error::malformed(
        &dir.display().to_string(),
        format!(
            "{} files of weights ({}{}), expected one: name the one that is meant {SINGLE}, or \
             {PICKLE} if it is PyTorch's",
            found.len(),
            shown.join(", "),
            if found.len() > shown.len() {
                ", …"
            } else {
                ""
            }
        ),
    ))
}

/// Whether the names are those of all parts of one checkpoint, such as
/// `model-00001-of-00002.safetensors`.
fn are_parts(names: &[String]) -> bool {
    let part = |name: &String| -> Option<(String, usize, usize)> {
        let (stem, end) = name.rsplit_once('.')?;
        let (stem, total) = stem.rsplit_once("-of-")?;
        let (stem, number) = stem.rsplit_once('-')?;
        Some((
            format!("{stem}.{end}"),
            number.parse().ok()?,
            total.parse().ok()?,
        ))
    };
    let parts: Option<Vec<_>> = names.iter().map(part).collect();
    parts.is_some_and(|mut parts| {
        parts.sort_unstable();
        let numbered = |first: usize| {
            parts.iter().enumerate().all(|(i, (stem, number, total))| {
                *stem == parts[0].0 && *number == i + first && *total == parts.len()
            })
        };
        parts.len() <= MAX_SHARDS && (numbered(1) || numbered(0))
    })
}

/// Opens the files `names`; `named_by` is the file to name when something is
/// missing from them.
fn files(dir: &Path, names: &[String], named_by: &str) -> Result<Opened> {
    let mut sources = Vec::with_capacity(names.len());
    let mut tensors = BTreeMap::new();
    let mut warnings = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let path = dir.join(name);
        if !path.exists() {
            return Err(surroundings::no_shard(dir, name, named_by));
        }
        let source = Source::open(&path)?;
        for (tensor, entry) in entries(&source, number, &mut warnings)? {
            if tensors.insert(tensor.clone(), entry).is_some() {
                return Err(Error::malformed(
                    &source.label,
                    format!("tensor `{tensor}` is in another file of {named_by} too"),
                ));
            }
        }
        sources.push(source);
    }
    bare(
        dir.join(named_by).display().to_string(),
        sources,
        tensors,
        warnings,
    )
}

/// Opens weights that are one file in memory.
pub(super) fn single(source: Source) -> Result<Opened> {
    let mut warnings = Vec::new();
    let tensors = entries(&source, 0, &mut warnings)?;
    bare(source.label.clone(), vec![source], tensors, warnings)
}

fn bare(
    file: String,
    sources: Vec<Source>,
    tensors: BTreeMap<String, Entry>,
    warnings: Vec<String>,
) -> Result<Opened> {
    quantized::refuse_tensors(&file, &tensors)?;
    Ok(Opened {
        tensors: names::bare(&file, tensors)?,
        sources,
        file,
        warnings,
    })
}

/// Reads the names and offsets of a file's tensors, by its content and not by its name.
pub(super) fn entries(
    source: &Source,
    number: usize,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, Entry>> {
    let head = source.read(0, source.len().min(content::HEAD as u64) as usize)?;
    if head.starts_with(&pickle::MAGIC) {
        let found = pickle::read(source, number)?;
        if !found.path.is_empty() {
            warnings.push(format!(
                "{}: the weights are its `{}`, what lies beside that is ignored",
                source.label, found.path
            ));
        }
        return Ok(found.tensors);
    }
    if head.starts_with(&[0x80, 0x02]) {
        return Err(Error::malformed(
            &source.label,
            "in PyTorch's format from before version 1.6, expected safetensors or a newer \
             PyTorch's file: load and save it again",
        ));
    }
    content::check(&source.label, &head, source.len(), Expected::Weights)?;
    header::read(source, number)
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
    if files.is_empty() || files.len() > MAX_SHARDS {
        return Err(Error::malformed(
            label,
            format!("{} files, expected 1 to {MAX_SHARDS}", files.len()),
        ));
    }
    Ok(files.into_iter().collect())
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}
