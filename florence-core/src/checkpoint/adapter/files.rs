//! The files of an adapter's folder.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::settings::{FILE, Settings};
use crate::checkpoint::changes::Tensor;
use crate::checkpoint::folder;
use crate::checkpoint::header::Entry;
use crate::checkpoint::place::Place;
use crate::checkpoint::source::Source;
use crate::{Error, Result};

/// The weights, in the order of preference.
const WEIGHTS: [&str; 2] = ["adapter_model.safetensors", "adapter_model.bin"];

/// Maximum length of the name of a tensor, in bytes.
const MAX_NAME: usize = 512;

/// The settings and the tensors of the adapter in a folder, by their names in the file.
pub(super) fn open(dir: &Path) -> Result<(Settings, Vec<(String, Tensor)>)> {
    check_folder(dir)?;
    let missing = |expected: &str, hint: &str| Error::MissingFile {
        dir: dir.to_owned(),
        expected: expected.to_owned(),
        hint: hint.to_owned(),
    };
    let Some(json) = folder::optional(dir, FILE)? else {
        let model = dir.join("config.json").exists();
        return Err(missing(
            FILE,
            if model {
                "; it holds a model, which is given as the model and not as an adapter"
            } else {
                "; PEFT's `save_pretrained` writes it beside adapter_model.safetensors"
            },
        ));
    };
    let settings = Settings::parse(&dir.join(FILE).display().to_string(), &json)?;
    let Some(path) = WEIGHTS
        .iter()
        .map(|name| dir.join(name))
        .find(|path| path.exists())
    else {
        return Err(missing(&WEIGHTS.join(" or "), ""));
    };
    let source = Arc::new(Source::open(&path)?);
    // A dictionary around the tensors does not matter here.
    let entries = folder::entries(&source, 0, &mut Vec::new())?;
    if entries.is_empty() {
        return Err(Error::malformed(
            &source.label,
            "no tensors, expected those of an adapter",
        ));
    }
    if entries.keys().any(|name| name.len() > MAX_NAME) {
        let reason = format!("names of tensors of more than {MAX_NAME} bytes");
        return Err(Error::malformed(&source.label, reason));
    }
    let tensors = entries.into_iter().map(|(name, entry)| {
        let tensor = tensor(&source, &name, entry)?;
        Ok((name, tensor))
    });
    Ok((settings, tensors.collect::<Result<_>>()?))
}

fn tensor(source: &Arc<Source>, name: &str, entry: Entry) -> Result<Tensor> {
    let stored = match &entry.stored {
        Ok(stored) => *stored,
        Err(found) => {
            return Err(Error::TensorDtype {
                file: source.label.clone(),
                name: name.to_owned(),
                found: found.clone(),
            });
        }
    };
    Ok(Tensor {
        source: Arc::clone(source),
        place: Place {
            entry,
            stored,
            name_in_file: name.to_owned(),
            transposed: false,
        },
    })
}

fn check_folder(dir: &Path) -> Result<()> {
    let metadata = std::fs::metadata(dir).map_err(|e| {
        let e = match e.kind() {
            io::ErrorKind::NotFound => io::Error::new(e.kind(), "no such folder"),
            _ => e,
        };
        Error::io(dir, e)
    })?;
    if metadata.is_dir() {
        return Ok(());
    }
    let reason = format!("a file, expected the folder of an adapter, with {FILE}");
    Err(Error::io(
        dir,
        io::Error::new(io::ErrorKind::NotADirectory, reason),
    ))
}
