//! The parameters of a network under the names that they have in either dialect: Microsoft's remote
//! code and transformers' own class.

use std::collections::BTreeMap;

use crate::Config;
use crate::checkpoint::expected::{LOGITS_BIAS, TIED, expected_tensors};
use crate::checkpoint::layout::Layout;

/// Parts of names around a network that PEFT or a training class leaves.
const PREFIXES: [&str; 2] = ["base_model.", "model."];

/// The parameters of a configuration.
pub(super) struct Parameters {
    /// Shapes by native names.
    shapes: BTreeMap<String, Vec<usize>>,
    /// Native names by the names of both dialects.
    names: BTreeMap<String, (String, Layout)>,
}

/// One parameter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The native name.
    pub(super) name: &'a str,
    pub(super) shape: &'a [usize],
    /// The dialect of the name that it was found by.
    pub(super) dialect: Layout,
}

/// The kinds of modules that differ in their adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Module {
    Linear,
    Convolution,
    /// A convolution of each channel by itself.
    Depthwise,
    Table,
    /// Positions, looked up without their numbers.
    Positions,
    Other,
}

impl Parameters {
    pub(super) fn new(config: &Config) -> Self {
        let expected = expected_tensors(config).into_iter();
        let mut shapes: BTreeMap<_, _> = expected.map(|t| (t.name, t.shape)).collect();
        for name in TIED {
            let table = vec![config.text.vocab_size, config.text.d_model];
            shapes.insert(name.to_owned(), table);
        }
        shapes.insert(LOGITS_BIAS.to_owned(), vec![1, config.text.vocab_size]);
        let mut names = BTreeMap::new();
        for name in shapes.keys() {
            // The native name last: where both dialects agree, nothing is transposed.
            for dialect in [Layout::Microsoft, Layout::Native] {
                names.insert(dialect.name_in_file(name), (name.clone(), dialect));
            }
            // transformers' `Florence2Model`, which has no head.
            if let Some(short) = name.strip_prefix("model.") {
                names.insert(short.to_owned(), (name.clone(), Layout::Native));
            }
        }
        Parameters { shapes, names }
    }

    /// The parameter of this name, or of what is left of it without prefixes.
    pub(super) fn find(&self, name: &str) -> Option<Found<'_>> {
        let mut rest = name;
        loop {
            if let Some((native, dialect)) = self.names.get(rest) {
                return Some(Found {
                    name: native,
                    shape: &self.shapes[native],
                    dialect: *dialect,
                });
            }
            rest = PREFIXES
                .iter()
                .find_map(|prefix| rest.strip_prefix(prefix))?;
        }
    }
}

impl Module {
    /// The module of a weight.
    pub(super) fn of(weight: &Found<'_>) -> Self {
        let ends = |end: &str| weight.name.ends_with(end);
        match weight.shape.len() {
            4 if weight.name.contains(".blocks.") => Self::Depthwise,
            4 => Self::Convolution,
            2 if ends("embed_positions.weight") => Self::Positions,
            2 if ends("shared.weight") || ends("embed_tokens.weight") => Self::Table,
            2 if ends("_embeddings.weight") => Self::Table,
            2 if ends(".weight") => Self::Linear,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let json = include_bytes!("../../../tests/data/config/base/config.json");
        Parameters::new(&Config::from_json(json, None, None).unwrap())
    }

    #[test]
    fn both_dialects_name_every_parameter() {
        let parameters = parameters();
        for (native, shape) in &parameters.shapes {
            for dialect in [Layout::Native, Layout::Microsoft] {
                for prefix in ["", "model.", "base_model.model."] {
                    let name = format!("{prefix}{}", dialect.name_in_file(native));
                    let found = parameters.find(&name).unwrap();
                    assert_eq!(
                        (found.name, found.shape),
                        (native.as_str(), shape.as_slice())
                    );
                }
            }
        }
        let found = parameters.find("image_projection").unwrap();
        assert!(found.dialect.is_transposed(found.name));
        assert_eq!(parameters.find("encoder.layers.0.fc2.weight"), None);
    }

    #[test]
    fn modules_by_their_weights() {
        let parameters = parameters();
        let module = |name: &str| Module::of(&parameters.find(name).unwrap());
        for (name, expected) in [
            ("language_model.lm_head.weight", Module::Linear),
            ("language_model.model.shared.weight", Module::Table),
            ("vision_tower.convs.1.proj.weight", Module::Convolution),
            (
                "vision_tower.blocks.0.0.spatial_block.conv1.fn.dw.weight",
                Module::Depthwise,
            ),
            ("image_pos_embed.row_embeddings.weight", Module::Table),
            (
                "language_model.model.encoder.embed_positions.weight",
                Module::Positions,
            ),
            ("vision_tower.convs.1.norm.weight", Module::Other),
        ] {
            assert_eq!(module(name), expected, "{name}");
        }
    }
}
