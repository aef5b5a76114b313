//! The tensors of a checkpoint under their native names, read on demand.

mod parameter;
mod tied;

pub(crate) use parameter::Parameter;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Weak};

use super::changes::Changes;
use super::expected::{DECODER_TABLE, ExpectedTensor, HEAD, LOGITS_BIAS, TIED, expected_tensors};
use super::folder::Opened;
use super::layout::Layout;
use super::place::Place;
use super::source::Source;
use crate::{Config, Error, Result};
use tied::Tied;

/// The weights of a checkpoint, checked against its configuration.
///
/// A cheap handle with a prefix, in the manner of a `VarBuilder`: names are the native ones without
/// their leading `model.`, and values are f32 in the native orientation.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    inner: Arc<Inner>,
    /// What adapters change.
    changes: Arc<Changes>,
    prefix: String,
}

/// The identity of opened files; it does not keep them open.
#[derive(Debug, Clone)]
pub(crate) struct Files(Weak<Inner>);

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

#[derive(Debug)]
struct Inner {
    sources: Vec<Source>,
    tensors: BTreeMap<String, Place>,
    layout: Layout,
    warnings: Vec<String>,
    /// Number of parameters, and those of an embedding table among them.
    parameters: usize,
    table: usize,
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
        let table = config.text.vocab_size * config.text.d_model;
        let parameters = parameters + own * table;
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
                table,
            }),
            changes: Arc::default(),
            prefix: String::new(),
        })
    }

    /// The same weights with these changes instead of others.
    pub(super) fn with_changes(&self, changes: Changes) -> Self {
        Weights {
            changes: Arc::new(changes),
            ..self.clone()
        }
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The names of the embedding tables that are one tensor with this one.
    pub(super) fn tied_with(&self, name: &str) -> Vec<&'static str> {
        let of_file = |name: &str| self.find(name) == Some(TIED[0]);
        if of_file(name) {
            TIED.into_iter().filter(|name| of_file(name)).collect()
        } else {
            Vec::new()
        }
    }

    /// What tells whether other weights are of the same files.
    pub(crate) fn files(&self) -> Files {
        Files(Arc::downgrade(&self.inner))
    }

    pub(crate) fn layout(&self) -> Layout {
        self.inner.layout
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// Number of parameters, without tied copies and computed tables.
    pub(crate) fn parameter_count(&self) -> usize {
        let untied = [HEAD, DECODER_TABLE].iter();
        let untied = untied
            .filter(|name| self.is_own_name(name) && !self.inner.tensors.contains_key(**name));
        self.inner.parameters + untied.count() * self.inner.table
    }

    /// The same weights below `prefix.name`.
    pub(crate) fn pp(&self, name: impl Display) -> Self {
        Weights {
            inner: Arc::clone(&self.inner),
            changes: Arc::clone(&self.changes),
            prefix: self.path(name),
        }
    }

    /// The same weights without a prefix.
    pub(crate) fn root(&self) -> Self {
        Weights {
            prefix: String::new(),
            ..self.clone()
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
        let parameter = match self.find(&name) {
            Some(key) => Parameter::stored(&self.inner, key, shape)?,
            None if name.ends_with("visual_temporal_embed.pos_idx_to_embed")
                && shape.len() == 2 =>
            {
                let values = frame_table(shape[0], shape[1]);
                Parameter::from_values(&name, shape, values)
            }
            None => return Err(self.missing(&name)),
        };
        parameter.changed(&name, self.changes.of(&name))
    }

    /// As [`Weights::get`]; `None` when neither the file nor an adapter holds it. For
    /// `final_logits_bias`, the only tensor that a layout may lack.
    pub(crate) fn optional(&self, name: &str, shape: &[usize]) -> Result<Option<Parameter>> {
        let name = native(&self.path(name));
        let changes = self.changes.of(&name);
        let parameter = match self.find(&name) {
            Some(key) => Parameter::stored(&self.inner, key, shape)?,
            None if changes.is_empty() => return Ok(None),
            None => Parameter::from_values(&name, shape, vec![0.0; shape.iter().product()]),
        };
        parameter.changed(&name, changes).map(Some)
    }

    /// Whether the tensor `name`, a copy of the embedding table in most files, has values of its
    /// own, in the file or by an adapter.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.is_own_name(&native(&self.path(name)))
    }

    fn is_own_name(&self, name: &str) -> bool {
        self.inner.tensors.contains_key(name) || !self.changes.are_equal(name, TIED[0])
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
