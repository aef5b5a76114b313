//! LoRA adapters as PEFT saves them: small matrices that are added to the weights of a network while
//! those are read.
//!
//! An adapter is two files, `adapter_config.json` and `adapter_model.safetensors` (or `.bin`). Both
//! are untrusted. Names come in two dialects, those of [`Layout`](super::Layout), whatever the layout
//! of the network is; everything is matched with the network when the adapter is opened, and numbers
//! are read with the weights that they belong to.
//!
//! The judge is PEFT's forward pass without merging: `W·x + scale · B·A·x` of the module that the
//! adapter names. So a delta on the output head leaves the embedding table, which is the same tensor
//! in most checkpoints, as it is.

mod files;
mod key;
mod layer;
mod options;
mod parameters;
mod pattern;
mod settings;
mod targets;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::changes::{Change, Changes, Kind, Tensor};
use super::expected::{ENCODER_TABLE, TIED};
use super::place::Place;
use super::weights::Weights;
use crate::{Config, Error, Result};
use key::{Key, Part};
use layer::Layer;
use parameters::Parameters;
use settings::Settings;

/// The changes of `weights` with those of the adapter in `dir`; what is odd about it is added to
/// `warnings`.
pub(super) fn apply(
    dir: &Path,
    weights: &Weights,
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<Changes> {
    let (settings, tensors) = files::open(dir)?;
    let parameters = Parameters::new(config);
    let (layers, own) = by_module(tensors)?;
    let mut added = Vec::new();
    for (module, leaf, tensor) in own {
        added.extend(replacement(
            &module,
            &leaf,
            tensor,
            &settings,
            &parameters,
            weights,
        )?);
    }
    for (module, layer) in layers {
        added.extend(layer.changes(&module, &settings, &parameters)?);
    }
    let mut changes = weights.changes().clone();
    for (name, change) in &added {
        refuse_conflict(name, change, weights.changes(), &settings)?;
        if settings.ensure_weight_tying && TIED.contains(&name.as_str()) {
            return Err(Error::Config {
                file: settings.file,
                key: "ensure_weight_tying".to_owned(),
                found: "true".to_owned(),
                expected: format!("false where the adapter changes a token table (`{name}`)"),
            });
        }
        if name == ENCODER_TABLE
            && matches!(**change, Change::Add(_) | Change::Replace(_, Kind::Copy))
        {
            warnings.push(format!(
                "{}: the encoder's `embed_tokens` is adapted, which neither the reference nor this \
                 network reads: prompts are embedded by `shared`",
                dir.display()
            ));
        }
        changes.push(name, Arc::clone(change));
    }
    Ok(changes)
}

/// A parameter of a module in an adapter's file: the module, the parameter's name in it, and its
/// values.
type Own = (String, String, Tensor);

/// The LoRA tensors by their modules, and the other ones.
fn by_module(tensors: Vec<(String, Tensor)>) -> Result<(BTreeMap<String, Layer>, Vec<Own>)> {
    let mut layers = BTreeMap::<String, Layer>::new();
    let mut own = Vec::new();
    for (name, tensor) in tensors {
        let Key { module, part } = Key::parse(&name);
        let refuse = |reason: String| Error::malformed(&tensor.source.label, reason);
        let half = match part {
            Part::Lora(half) => half,
            Part::Own(leaf) => {
                own.push((module, leaf, tensor));
                continue;
            }
            Part::Foreign(method) => {
                return Err(refuse(format!(
                    "`{name}` is of {method}, expected LoRA without extensions"
                )));
            }
        };
        let slot = layers.entry(module).or_default().slot(half);
        if slot.is_some() {
            return Err(refuse(format!(
                "`{name}` is there twice, once with a wrapper's name"
            )));
        }
        *slot = Some(tensor);
    }
    Ok((layers, own))
}

/// What a parameter in an adapter's file replaces: a copy of a module (`modules_to_save`), a trained
/// bias, or a table that was saved with the adapter.
fn replacement(
    module: &str,
    leaf: &str,
    tensor: Tensor,
    settings: &Settings,
    parameters: &Parameters,
    weights: &Weights,
) -> Result<Vec<(String, Arc<Change>)>> {
    let name = match module {
        "" => leaf.to_owned(),
        module => format!("{module}.{leaf}"),
    };
    let Some(found) = parameters.find(&name) else {
        return Err(Error::malformed(
            &tensor.source.label,
            format!(
                "`{}` fits no parameter of Florence-2{}",
                tensor.place.name_in_file,
                layer::base(settings)
            ),
        ));
    };
    let transposed = found.dialect.is_transposed(found.name);
    let mut expected = found.shape.to_vec();
    if transposed {
        expected.reverse();
    }
    layer::check(&tensor, expected, &found, settings)?;
    let kind = if settings.is_saved(module) {
        Kind::Copy
    } else {
        Kind::Base
    };
    let tied = match kind {
        Kind::Copy => Vec::new(),
        Kind::Base => weights.tied_with(found.name),
    };
    let names = match tied.as_slice() {
        [] => vec![found.name.to_owned()],
        tied => tied.iter().map(|name| (*name).to_owned()).collect(),
    };
    let tensor = Tensor {
        place: Place {
            transposed,
            ..tensor.place
        },
        ..tensor
    };
    let change = Arc::new(Change::Replace(tensor, kind));
    Ok(names
        .into_iter()
        .map(|name| (name, Arc::clone(&change)))
        .collect())
}

/// PEFT does not combine an adapter's own copy of a module with another adapter's changes of it.
fn refuse_conflict(
    name: &str,
    change: &Change,
    earlier: &Changes,
    settings: &Settings,
) -> Result<()> {
    let is_copy = |change: &Change| matches!(change, Change::Replace(_, Kind::Copy));
    let earlier = earlier.of(name);
    if !earlier.iter().any(|one| is_copy(one) || is_copy(change)) {
        return Ok(());
    }
    Err(Error::malformed(
        &settings.file,
        format!(
            "`{name}` is changed by an adapter before this one too, and one of the two has its own \
             copy of the module (`modules_to_save`): give one of them"
        ),
    ))
}
