//! Tensor names without the wrappers of training tools.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// Parts that wrappers insert at any depth: `DataParallel`, `torch.compile`,
/// FSDP, activation checkpointing, and what PEFT calls the layer that it
/// adapted.
const WRAPPERS: [&str; 5] = [
    "module",
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "base_layer",
];

/// Parts of the names of an adapter's own tensors.
const ADAPTERS: [&str; 6] = [
    "lora_A",
    "lora_B",
    "lora_embedding_A",
    "lora_embedding_B",
    "lora_magnitude_vector",
    "ia3_l",
];

/// The one tensor that each layout must have, by the end of its name.
const MICROSOFT: &str = "image_projection";
const NATIVE: &str = "multi_modal_projector.image_projection.weight";

/// Removes wrappers and prefixes (`module.`, `_orig_mod.`, `base_model.model.`, a training class's
/// `model.`), which leaves the names of one of the layouts. The file of transformers'
/// `Florence2Model`, which has no head, gets the `model.` of the whole class.
pub(super) fn bare<T>(file: &str, tensors: BTreeMap<String, T>) -> Result<BTreeMap<String, T>> {
    refuse_adapter(file, &tensors)?;
    let mut bare = BTreeMap::new();
    for (name, tensor) in tensors {
        let short = unwrapped(&name);
        if bare.contains_key(&short) {
            return Err(Error::malformed(
                file,
                format!("tensor `{short}` is there twice, once with a wrapper's name"),
            ));
        }
        bare.insert(short, tensor);
    }
    let mut prefixes: Vec<Prefix> = bare.keys().filter_map(|n| Prefix::of(n)).collect();
    prefixes.dedup();
    let prefix = match prefixes.as_slice() {
        [] => return Ok(bare),
        [one] => one,
        several => match several.iter().find(|p| p.remove.is_empty()) {
            Some(plain) => plain,
            None => {
                let shown: Vec<String> = several.iter().map(Prefix::shown).collect();
                return Err(Error::malformed(
                    file,
                    format!(
                        "{} networks, under {}; expected one: save the one that is meant by itself",
                        several.len(),
                        shown.join(" and ")
                    ),
                ));
            }
        },
    };
    let renamed = bare.into_iter().map(|(name, tensor)| {
        let name = match name.strip_prefix(&prefix.remove) {
            Some(rest) => format!("{}{rest}", prefix.add),
            None => name,
        };
        (name, tensor)
    });
    Ok(renamed.collect())
}

/// A name without the parts that wrappers insert.
pub(super) fn unwrapped(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').filter(|p| !WRAPPERS.contains(p)).collect();
    parts.join(".")
}

/// The prefix to remove from a network's names, and the one to add.
#[derive(Debug, PartialEq, Eq)]
struct Prefix {
    remove: String,
    add: &'static str,
}

impl Prefix {
    fn of(name: &str) -> Option<Self> {
        let before = |end: &str| {
            name.strip_suffix(end)
                .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        };
        if let Some(prefix) = before(MICROSOFT) {
            let remove = prefix.to_owned();
            return Some(Prefix { remove, add: "" });
        }
        let prefix = before(NATIVE)?;
        let (remove, add) = match prefix.strip_suffix("model.") {
            Some(rest) if rest.is_empty() || rest.ends_with('.') => (rest, ""),
            _ => (prefix, "model."),
        };
        let remove = remove.to_owned();
        Some(Prefix { remove, add })
    }

    fn shown(&self) -> String {
        format!("`{}`", self.remove)
    }
}

/// An adapter is not a network; beside its network it has to be merged first.
fn refuse_adapter<T>(file: &str, tensors: &BTreeMap<String, T>) -> Result<()> {
    let is_adapter = |name: &str| name.split('.').any(|part| ADAPTERS.contains(&part));
    let Some(name) = tensors.keys().find(|name| is_adapter(name)) else {
        return Ok(());
    };
    let alone = !tensors.keys().any(|name| Prefix::of(name).is_some());
    let what = if alone {
        "these are the tensors of a LoRA adapter, not of a network"
    } else {
        "a LoRA adapter that is not merged with its network"
    };
    Err(Error::malformed(
        file,
        format!(
            "{what} (`{name}`): give the folder of its network as the model, and the adapter's own \
             folder, with its adapter_config.json, as the adapter (`--adapter`, \
             `LoadOptions::adapter`)"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Result<Vec<String>> {
        let tensors = names.iter().map(|n| ((*n).to_owned(), ())).collect();
        Ok(bare("w", tensors)?.into_keys().collect())
    }

    #[test]
    fn prefixes_of_both_layouts_go() {
        let head = "language_model.lm_head.weight";
        for prefix in [
            "",
            "module.",
            "_orig_mod.",
            "module._orig_mod.",
            "base_model.model.",
            "model.",
            "net.florence.",
        ] {
            let given = [
                format!("{prefix}image_projection"),
                format!("{prefix}{head}"),
            ];
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            assert_eq!(
                names(&given).unwrap(),
                ["image_projection", head],
                "{prefix}"
            );
        }
        let native = "model.multi_modal_projector.image_projection.weight";
        for prefix in [
            "",
            "module.",
            "base_model.model.",
            "model.",
            "base_model.model.module.",
        ] {
            let given = [
                format!("{prefix}{native}"),
                format!("{prefix}lm_head.weight"),
            ];
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            assert_eq!(
                names(&given).unwrap(),
                ["lm_head.weight", native],
                "{prefix}"
            );
        }
        assert_eq!(
            names(&[
                "multi_modal_projector.image_projection.weight",
                "vision_tower.x"
            ])
            .unwrap(),
            [native, "model.vision_tower.x"]
        );
    }

    #[test]
    fn inner_wrappers_are_removed() {
        assert_eq!(
            names(&[
                "image_projection",
                "language_model._orig_mod.model.a.base_layer.weight"
            ])
            .unwrap(),
            ["image_projection", "language_model.model.a.weight"]
        );
        let error = names(&["module.image_projection", "image_projection"]).unwrap_err();
        assert!(error.to_string().contains("there twice"), "{error}");
    }

    #[test]
    fn of_several_networks_the_bare_one_is_used() {
        let both = ["image_projection", "ema.image_projection"];
        assert_eq!(
            names(&both).unwrap(),
            ["ema.image_projection", "image_projection"]
        );
        let error = names(&["student.image_projection", "teacher.image_projection"]).unwrap_err();
        assert!(
            error.to_string().contains("`student.` and `teacher.`"),
            "{error}"
        );
    }

    #[test]
    fn adapters_are_distinguished_from_networks() {
        let lora = "base_model.model.language_model.model.decoder.layers.0.fc2.lora_A.weight";
        let error = names(&[lora]).unwrap_err().to_string();
        assert!(
            error.contains("the tensors of a LoRA adapter, not of a network"),
            "{error}"
        );
        let error = names(&[lora, "base_model.model.image_projection"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("not merged with its network"), "{error}");
    }
}
