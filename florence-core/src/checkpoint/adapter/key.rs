//! The names of tensors in an adapter's file.

use crate::checkpoint::names::unwrapped;

/// The module that a tensor belongs to, by its name in the network that the adapter was trained on,
/// and which of its tensors it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) module: String,
    pub(super) part: Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Lora(Half),
    /// A parameter of the module itself: `weight`, `bias`.
    Own(String),
    /// Of another method, with its name.
    Foreign(&'static str),
}

/// One of the tensors of LoRA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    A,
    B,
    /// The bias of B (`lora_bias`).
    BiasOfB,
    /// A of an embedding.
    TableA,
    TableB,
}

/// What PEFT writes before the names of the network.
const PREFIX: &str = "base_model.model.";

/// The adapter's own name, which `save_pretrained` removes and other writers leave.
const DEFAULT: &str = "default";

/// Parts of names that other methods give to their tensors.
const FOREIGN: [(&str, &str); 8] = [
    ("lora_magnitude_vector", "DoRA"),
    ("lora_diag", "KaSA"),
    (
        "token_adapter",
        "trainable tokens (`trainable_token_indices`)",
    ),
    (
        "trainable_tokens_delta",
        "trainable tokens (`trainable_token_indices`)",
    ),
    ("ia3_l", "IA3"),
    ("lora_", "another kind of LoRA"),
    ("hada_", "LoHa"),
    ("lokr_", "LoKr"),
];

impl Key {
    pub(super) fn parse(name: &str) -> Self {
        let name = unwrapped(name);
        let name = name.strip_prefix(PREFIX).unwrap_or(&name);
        let parts: Vec<&str> = name.split('.').collect();
        let at = parts.iter().position(|part| part.starts_with("lora_"));
        if let Some(at) = at {
            let rest: Vec<&str> = parts[at + 1..]
                .iter()
                .copied()
                .filter(|p| *p != DEFAULT)
                .collect();
            let half = match (parts[at], rest.as_slice()) {
                ("lora_A", ["weight"]) => Some(Half::A),
                ("lora_B", ["weight"]) => Some(Half::B),
                ("lora_B", ["bias"]) => Some(Half::BiasOfB),
                ("lora_embedding_A", []) => Some(Half::TableA),
                ("lora_embedding_B", []) => Some(Half::TableB),
                _ => None,
            };
            if let Some(half) = half {
                return Key {
                    module: parts[..at].join("."),
                    part: Part::Lora(half),
                };
            }
        }
        let foreign = FOREIGN
            .iter()
            .find(|(begin, _)| parts.iter().any(|p| p.starts_with(begin)));
        let (module, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        Key {
            module: module.to_owned(),
            part: match foreign {
                Some((_, method)) => Part::Foreign(method),
                None => Part::Own(leaf.to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let layer = "language_model.model.decoder.layers.0.fc2";
        let cases = [
            ("lora_A.weight", Part::Lora(Half::A)),
            ("lora_B.weight", Part::Lora(Half::B)),
            ("lora_B.default.weight", Part::Lora(Half::B)),
            ("lora_B.bias", Part::Lora(Half::BiasOfB)),
            ("lora_embedding_A", Part::Lora(Half::TableA)),
            ("lora_embedding_B.default", Part::Lora(Half::TableB)),
            ("bias", Part::Own("bias".to_owned())),
            ("base_layer.bias", Part::Own("bias".to_owned())),
            ("lora_magnitude_vector", Part::Foreign("DoRA")),
            ("lora_C.weight", Part::Foreign("another kind of LoRA")),
        ];
        for (end, part) in cases {
            for prefix in ["base_model.model.", "module.base_model.model.", ""] {
                let key = Key::parse(&format!("{prefix}{layer}.{end}"));
                let module = match part {
                    Part::Foreign(_) => key.module.clone(),
                    _ => layer.to_owned(),
                };
                assert_eq!(
                    key,
                    Key {
                        module,
                        part: part.clone()
                    },
                    "{end}"
                );
            }
        }
        for odd in [
            "",
            ".",
            "weight",
            "lora_A",
            "lora_A.weight",
            "..lora_B..weight",
        ] {
            Key::parse(odd);
        }
    }
}
