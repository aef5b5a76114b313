//! The tensors of a checkpoint under their native names, read on demand.

mod parameter;

pub(crate) use parameter::Parameter;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::expected::{ExpectedTensor, expected_tensors};
use super::folder::Opened;
use super::header::{Entry, Stored};
use super::layout::Layout;
use super::source::Source;
use crate::{Config, Error, Result};

/// Native names under which a file may hold the embedding table. The first is
/// the usual one; writers that drop duplicates keep any one of them.
const TIED: [&str; 4] = [
    "model.language_model.shared.weight",
    HEAD,
    "model.language_model.encoder.embed_tokens.weight",
    DECODER_TABLE,
];

/// The output head.
const HEAD: &str = "lm_head.weight";

/// The decoder's token table.
const DECODER_TABLE: &str = "model.language_model.decoder.embed_tokens.weight";

/// The bias of Microsoft's output head; zeros when absent.
const LOGITS_BIAS: &str = "final_logits_bias";

/// The weights of a checkpoint, checked against its configuration.
///
/// A cheap handle with a prefix, in the manner of a `VarBuilder`: names are the native ones without
/// their leading `model.`, and values are f32 in the native orientation.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    inner: Arc<Inner>,
    prefix: String,
}

#[derive(Debug)]
struct Inner {
    sources: Vec<Source>,
    tensors: BTreeMap<String, Place>,
    layout: Layout,
    warnings: Vec<String>,
    parameters: usize,
}

/// A tensor that the network reads.
#[derive(Debug)]
struct Place {
    entry: Entry,
    stored: Stored,
    name_in_file: String,
    transposed: bool,
}

impl Weights {
    /// Matches the tensors of the files with those that `config` requires.
    pub(super) fn match_up(opened: Opened, config: &Config) -> Result<Self> {
        let Opened {
            sources,
            tensors: mut entries,
            file,
            mut warnings,
        } = opened;
        let file = file.as_str();
        let layout = Layout::detect(&entries).ok_or_else(|| {
            let some: Vec<&str> = entries.keys().take(3).map(String::as_str).collect();
            Error::malformed(
                file,
                format!(
                    "{} tensors, none of them a Florence-2 name (such as `image_projection` or \
                     `model.multi_modal_projector.image_projection.weight`): {}…",
                    entries.len(),
                    some.join(", ")
                ),
            )
        })?;
        let mut expected = expected_tensors(config);
        let parameters: usize = expected
            .iter()
            .filter(|t| t.required)
            .map(|t| t.shape.iter().product::<usize>())
            .sum();
        if layout == Layout::Microsoft {
            expected.push(ExpectedTensor {
                name: LOGITS_BIAS.to_owned(),
                shape: vec![1, config.text.vocab_size],
                required: false,
            });
        }
        let total = expected.iter().filter(|t| t.required).count();
        let has_head = entries.contains_key(&layout.name_in_file(HEAD));
        let mut tensors = BTreeMap::new();
        let mut missing = Vec::new();
        for tensor in expected {
            let names: &[&str] = if tensor.name == TIED[0] {
                &TIED
            } else {
                &[tensor.name.as_str()]
            };
            let found = names.iter().find_map(|name| {
                let name_in_file = layout.name_in_file(name);
                Some((entries.remove(&name_in_file)?, name_in_file))
            });
            match found {
                Some((entry, name_in_file)) => {
                    let place = Place::check(entry, name_in_file, &tensor, layout, &sources)?;
                    tensors.insert(tensor.name, place);
                }
                None if tensor.required => missing.push(layout.name_in_file(&tensor.name)),
                None => {}
            }
        }
        if !missing.is_empty() {
            return Err(Error::MissingTensors {
                file: file.to_owned(),
                count: missing.len(),
                names: missing.into_iter().take(3).collect(),
                total,
            });
        }
        let mut tied = Tied {
            layout,
            config,
            sources: &sources,
            tensors: &mut tensors,
        };
        let own = tied.find_own(&mut entries)?;
        let parameters = parameters + own * config.text.vocab_size * config.text.d_model;
        if tensors.contains_key(HEAD) {
            if config.text.tied {
                warnings.push(format!(
                    "{file}: `{}` differs from the embedding table and is used, though config.json \
                     says that the two are one (`tie_word_embeddings`)",
                    layout.name_in_file(HEAD)
                ));
            }
        } else if !config.text.tied && !has_head {
            warnings.push(format!(
                "{file}: no `{}`, which config.json announces (`tie_word_embeddings` is false): the \
                 embedding table is the output head",
                layout.name_in_file(HEAD)
            ));
        }
        entries.retain(|name, _| !is_bookkeeping(name));
        if !entries.is_empty() {
            let some: Vec<&str> = entries.keys().take(3).map(String::as_str).collect();
            warnings.push(format!(
                "{file}: {} tensors that Florence-2 does not have are ignored: {}{}",
                entries.len(),
                some.join(", "),
                if entries.len() > 3 { ", …" } else { "" }
            ));
        }
        Ok(Weights {
            inner: Arc::new(Inner {
                sources,
                tensors,
                layout,
                warnings,
                parameters,
            }),
            prefix: String::new(),
        })
    }

    pub(crate) fn layout(&self) -> Layout {
        self.inner.layout
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// Number of parameters, without tied copies and computed tables.
    pub(crate) fn parameter_count(&self) -> usize {
        self.inner.parameters
    }

    /// The same weights below `prefix.name`.
    pub(crate) fn pp(&self, name: impl Display) -> Self {
        Weights {
            inner: Arc::clone(&self.inner),
            prefix: self.path(name),
        }
    }

    /// The same weights without a prefix.
    pub(crate) fn root(&self) -> Self {
        Weights {
            inner: Arc::clone(&self.inner),
            prefix: String::new(),
        }
    }

    fn path(&self, name: impl Display) -> String {
        if self.prefix.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }

    /// The tensor `name` below the prefix, for reading. Its shape was checked against the
    /// configuration already; this checks the shape that the network expects.
    pub(crate) fn get(&self, name: impl Display, shape: &[usize]) -> Result<Parameter> {
        let name = native(&self.path(name));
        match self.find(&name) {
            Some(key) => Parameter::stored(&self.inner, key, shape),
            None if name.ends_with("visual_temporal_embed.pos_idx_to_embed")
                && shape.len() == 2 =>
            {
                let values = frame_table(shape[0], shape[1]);
                Ok(Parameter::from_values(&name, shape, values))
            }
            None => Err(self.missing(&name)),
        }
    }

    /// As [`Weights::get`]; `None` when the file does not hold it. For
    /// `final_logits_bias`, the only tensor that a layout may lack.
    pub(crate) fn optional(&self, name: &str, shape: &[usize]) -> Result<Option<Parameter>> {
        let name = native(&self.path(name));
        self.find(&name)
            .map(|key| Parameter::stored(&self.inner, key, shape))
            .transpose()
    }

    /// Whether the tensor `name`, a copy of the embedding table in most files, has values of its
    /// own.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.inner.tensors.contains_key(&native(&self.path(name)))
    }

    /// The name under which the tensor of this native name is kept.
    fn find<'a>(&self, name: &'a str) -> Option<&'a str> {
        let tensors = &self.inner.tensors;
        let shared = || TIED.contains(&name).then_some(TIED[0]);
        if tensors.contains_key(name) {
            Some(name)
        } else {
            shared().filter(|name| tensors.contains_key(*name))
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingTensors {
            file: self.file().to_owned(),
            names: vec![self.inner.layout.name_in_file(name)],
            count: 1,
            total: self.inner.tensors.len(),
        }
    }

    fn file(&self) -> &str {
        self.inner.sources.first().map_or("", |s| s.label.as_str())
    }
}

/// The full native name: with `model.`, which only the head lacks.
fn native(name: &str) -> String {
    if name.starts_with("model.") || name == "lm_head.weight" || name == LOGITS_BIAS {
        name.to_owned()
    } else {
        format!("model.{name}")
    }
}

/// Buffers that trackers and profilers leave among the weights.
fn is_bookkeeping(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    [
        "position_ids",
        "num_batches_tracked",
        "total_ops",
        "total_params",
    ]
    .contains(&last)
}

/// The tensors that are tied in most files.
struct Tied<'a> {
    layout: Layout,
    config: &'a Config,
    sources: &'a [Source],
    tensors: &'a mut BTreeMap<String, Place>,
}

impl Tied<'_> {
    /// Takes the copies of the embedding table out of `entries`, keeps the head and the decoder's
    /// table where their values differ, and counts those. This is what transformers 5 does,
    /// whatever the configuration says; the encoder's own table is read by neither.
    fn find_own(&mut self, entries: &mut BTreeMap<String, Entry>) -> Result<usize> {
        let shape = [self.config.text.vocab_size, self.config.text.d_model];
        let mut own = 0;
        for name in TIED {
            let name_in_file = self.layout.name_in_file(name);
            let Some(entry) = entries.remove(&name_in_file) else {
                continue;
            };
            let tensor = ExpectedTensor {
                name: name.to_owned(),
                shape: shape.to_vec(),
                required: false,
            };
            let copy = Place::check(entry, name_in_file, &tensor, self.layout, self.sources)?;
            if [HEAD, DECODER_TABLE].contains(&name)
                && let Some(table) = self.tensors.get(TIED[0])
                && !table.equals(&copy, self.sources)?
            {
                self.tensors.insert(name.to_owned(), copy);
                own += 1;
            }
        }
        Ok(own)
    }
}

impl Place {
    /// Whether two tensors of one shape hold the same values. Read piece by piece, and only where
    /// they are not the same bytes of a file.
    fn equals(&self, other: &Place, sources: &[Source]) -> Result<bool> {
        const PIECE: usize = 1 << 16;
        let place = |p: &Place| (p.entry.source, p.entry.offset, p.stored);
        if place(self) == place(other) {
            return Ok(true);
        }
        let count = self.entry.shape.iter().product::<usize>();
        let (mut ours, mut theirs) = (vec![0.0; PIECE], vec![0.0; PIECE]);
        for start in (0..count).step_by(PIECE) {
            let len = PIECE.min(count - start);
            self.read(&sources[self.entry.source], start, &mut ours[..len])?;
            other.read(&sources[other.entry.source], start, &mut theirs[..len])?;
            if ours[..len] != theirs[..len] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn check(
        entry: Entry,
        name_in_file: String,
        tensor: &ExpectedTensor,
        layout: Layout,
        sources: &[Source],
    ) -> Result<Self> {
        let transposed = layout.is_transposed(&tensor.name);
        let mut expected = tensor.shape.clone();
        if transposed {
            expected.reverse();
        }
        let file = || sources[entry.source].label.clone();
        if entry.shape != expected {
            return Err(Error::TensorShape {
                file: file(),
                name: name_in_file,
                found: entry.shape,
                expected,
            });
        }
        let stored = match &entry.stored {
            Ok(stored) => *stored,
            Err(found) => {
                return Err(Error::TensorDtype {
                    file: file(),
                    name: name_in_file,
                    found: found.clone(),
                });
            }
        };
        Ok(Place {
            entry,
            stored,
            name_in_file,
            transposed,
        })
    }

    /// Checks the shape that the network expects against the file's.
    fn expect(&self, source: &Source, shape: &[usize]) -> Result<()> {
        let mut found = self.entry.shape.clone();
        if self.transposed {
            found.reverse();
        }
        if found == shape {
            return Ok(());
        }
        Err(Error::TensorShape {
            file: source.label.clone(),
            name: self.name_in_file.clone(),
            found,
            expected: shape.to_vec(),
        })
    }

    /// Reads the values from index `start` on, in the order of the file.
    fn read(&self, source: &Source, start: usize, values: &mut [f32]) -> Result<()> {
        let size = self.stored.size();
        let offset = self.entry.offset + (start * size) as u64;
        let bytes = source.read(offset, values.len() * size)?;
        to_f32(&bytes, self.stored, values);
        match first_non_finite(values) {
            None => Ok(()),
            Some(index) => Err(Error::TensorValue {
                file: source.label.clone(),
                name: self.name_in_file.clone(),
                index: start + index,
                value: values[index],
            }),
        }
    }
}

/// Little-endian bytes to f32. f16 and bf16 widen exactly, f64 is rounded to
/// the nearest, as PyTorch does.
fn to_f32(bytes: &[u8], stored: Stored, values: &mut [f32]) {
    match stored {
        Stored::F64 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f64::from_le_bytes(*bytes) as f32;
            }
        }
        Stored::F32 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        Stored::BF16 => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = bf16::from_le_bytes(*bytes).to_f32();
            }
        }
        Stored::F16 => {
            const CHUNK: usize = 256;
            let mut halves = [f16::ZERO; CHUNK];
            for (values, bytes) in values.chunks_mut(CHUNK).zip(bytes.chunks(2 * CHUNK)) {
                let halves = &mut halves[..values.len()];
                for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks().0) {
                    *half = f16::from_le_bytes(*bytes);
                }
                halves.convert_to_f32_slice(values);
            }
        }
    }
}

fn first_non_finite(values: &[f32]) -> Option<usize> {
    // Chunks without an early exit inside vectorize.
    const CHUNK: usize = 4096;
    values.chunks(CHUNK).enumerate().find_map(|(i, chunk)| {
        let odd = chunk.iter().fold(false, |odd, x| odd | !x.is_finite());
        if !odd {
            return None;
        }
        let at = chunk.iter().position(|x| !x.is_finite())?;
        Some(i * CHUNK + at)
    })
}

/// Sines in the even, cosines in the odd columns, as
/// `PositionalEmbeddingCosine1D` of the reference computes them.
fn frame_table(rows: usize, dim: usize) -> Vec<f32> {
    let half = dim / 2;
    let step = -(10_000f64.ln() / half as f64);
    let mut values = Vec::with_capacity(rows * dim);
    for row in 0..rows {
        for i in 0..half {
            let angle = row as f32 * (i as f32 * step as f32).exp();
            values.extend([angle.sin(), angle.cos()]);
        }
    }
    values
}

#[cfg(test)]
mod tests;
