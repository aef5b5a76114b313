//! Every tensor that a configuration requires, by its native name.

use crate::{Config, TextConfig};

/// Native names under which a file may hold the embedding table. The first is
/// the usual one; writers that drop duplicates keep any one of them.
pub(super) const TIED: [&str; 4] = [
    "model.language_model.shared.weight",
    HEAD,
    ENCODER_TABLE,
    DECODER_TABLE,
];

/// The output head.
pub(super) const HEAD: &str = "lm_head.weight";

/// The encoder's token table, which the reference does not read: prompts are embedded by the first.
pub(super) const ENCODER_TABLE: &str = "model.language_model.encoder.embed_tokens.weight";

/// The decoder's token table.
pub(super) const DECODER_TABLE: &str = "model.language_model.decoder.embed_tokens.weight";

/// The bias of Microsoft's output head; zeros when absent.
pub(super) const LOGITS_BIAS: &str = "final_logits_bias";

/// One tensor that the network reads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedTensor {
    /// The name in transformers' native layout, such as
    /// `model.vision_tower.convs.0.conv.weight`.
    pub name: String,
    /// The shape in the native layout, row-major.
    pub shape: Vec<usize>,
    /// `false` for what can be computed when the file lacks it.
    pub required: bool,
}

/// Lists every tensor that the network reads for `config`, by its native name,
/// in the order of the published native files.
///
/// Copies of the embedding table (`lm_head.weight`, `embed_tokens`) are not
/// listed: a file may hold them, and those of the head and the decoder are used
/// where they have other numbers.
///
/// # Example: a published native checkpoint has 665 tensors
///
/// ```
/// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
/// use florence_core::{checkpoint::expected_tensors, Config};
///
/// let config = Config::from_json(json, None, None)?;
/// let tensors = expected_tensors(&config);
/// assert_eq!(tensors.len(), 665);
/// assert_eq!(tensors[0].name, "model.vision_tower.convs.0.conv.weight");
/// assert_eq!(tensors[0].shape, [128, 3, 7, 7]);
/// # Ok::<(), florence_core::Error>(())
/// ```
pub fn expected_tensors(config: &Config) -> Vec<ExpectedTensor> {
    let mut list = List::default();
    vision(&mut list, config);
    projector(&mut list, config);
    text(&mut list, &config.text);
    list.0
}

#[derive(Default)]
struct List(Vec<ExpectedTensor>);

impl List {
    fn add(&mut self, name: String, shape: &[usize]) {
        self.0.push(ExpectedTensor {
            name,
            shape: shape.to_vec(),
            required: true,
        });
    }

    fn affine(&mut self, prefix: &str, shape: &[usize]) {
        self.add(format!("{prefix}.weight"), shape);
        self.add(format!("{prefix}.bias"), &shape[..1]);
    }
}

fn vision(list: &mut List, config: &Config) {
    let v = &config.vision;
    let tower = "model.vision_tower";
    for (i, &dim) in v.embed_dim.iter().enumerate() {
        let input = if i == 0 {
            v.in_channels
        } else {
            v.embed_dim[i - 1]
        };
        let kernel = v.patch_size[i];
        list.affine(
            &format!("{tower}.convs.{i}.conv"),
            &[dim, input, kernel, kernel],
        );
        let normed = if v.patch_prenorm[i] { input } else { dim };
        list.affine(&format!("{tower}.convs.{i}.norm"), &[normed]);
    }
    for (i, &dim) in v.embed_dim.iter().enumerate() {
        for j in 0..v.depths[i] {
            for (block, attention) in [
                ("spatial_block", "window_attn"),
                ("channel_block", "channel_attn"),
            ] {
                let at = format!("{tower}.blocks.{i}.{j}.{block}");
                list.affine(&format!("{at}.conv1"), &[dim, 1, 3, 3]);
                list.affine(&format!("{at}.norm1"), &[dim]);
                list.add(format!("{at}.{attention}.qkv.weight"), &[3 * dim, dim]);
                if v.qkv_bias {
                    list.add(format!("{at}.{attention}.qkv.bias"), &[3 * dim]);
                }
                list.affine(&format!("{at}.{attention}.proj"), &[dim, dim]);
                list.affine(&format!("{at}.conv2"), &[dim, 1, 3, 3]);
                list.affine(&format!("{at}.norm2"), &[dim]);
                list.affine(&format!("{at}.ffn.fc1"), &[v.mlp_hidden(i), dim]);
                list.affine(&format!("{at}.ffn.fc2"), &[dim, v.mlp_hidden(i)]);
            }
        }
    }
}

fn projector(list: &mut List, config: &Config) {
    let v = &config.vision;
    let dim = v.last_dim();
    let at = "model.multi_modal_projector";
    list.add(
        format!("{at}.image_projection.weight"),
        &[v.projection_dim, dim],
    );
    list.affine(&format!("{at}.image_proj_norm"), &[v.projection_dim]);
    let rows = v.max_position_embeddings;
    let table = format!("{at}.image_position_embed");
    list.add(format!("{table}.row_embeddings.weight"), &[rows, dim / 2]);
    list.add(
        format!("{table}.column_embeddings.weight"),
        &[rows, dim - dim / 2],
    );
    list.0.push(ExpectedTensor {
        name: format!("{at}.visual_temporal_embed.pos_idx_to_embed"),
        shape: vec![v.max_temporal_embeddings, dim],
        required: false,
    });
}

fn text(list: &mut List, t: &TextConfig) {
    let at = "model.language_model";
    let dim = t.d_model;
    list.add(format!("{at}.shared.weight"), &[t.vocab_size, dim]);
    let sides = [
        ("encoder", t.encoder_layers, t.encoder_ffn_dim),
        ("decoder", t.decoder_layers, t.decoder_ffn_dim),
    ];
    for (side, layers, hidden) in sides {
        let at = format!("{at}.{side}");
        list.add(
            format!("{at}.embed_positions.weight"),
            &[t.max_position_embeddings + TextConfig::POSITION_OFFSET, dim],
        );
        for i in 0..layers {
            let at = format!("{at}.layers.{i}");
            let mut attention = |name: &str| {
                for proj in ["k_proj", "v_proj", "q_proj", "out_proj"] {
                    list.affine(&format!("{at}.{name}.{proj}"), &[dim, dim]);
                }
                list.affine(&format!("{at}.{name}_layer_norm"), &[dim]);
            };
            attention("self_attn");
            if side == "decoder" {
                attention("encoder_attn");
            }
            list.affine(&format!("{at}.fc1"), &[hidden, dim]);
            list.affine(&format!("{at}.fc2"), &[dim, hidden]);
            list.affine(&format!("{at}.final_layer_norm"), &[dim]);
        }
        list.affine(&format!("{at}.layernorm_embedding"), &[dim]);
    }
}
