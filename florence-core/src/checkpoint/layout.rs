//! The naming schemes of published checkpoints.

use std::collections::BTreeMap;

/// The naming scheme of a checkpoint's tensors.
///
/// The network uses the native names throughout; rules, not lists, lead from
/// them to the names in the file, so they hold for any depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// `image_projection`, `language_model.model.…`: the files published by
    /// Microsoft and fine-tunes of them.
    Microsoft,
    /// `model.vision_tower.…`, `model.multi_modal_projector.…`: transformers'
    /// own class.
    Native,
}

impl Layout {
    /// Recognizes the layout by the names; `None` when they are neither's.
    pub(super) fn detect<T>(tensors: &BTreeMap<String, T>) -> Option<Self> {
        let any = |test: fn(&str) -> bool| tensors.keys().any(|name| test(name));
        if any(|n| n == "image_projection" || n.starts_with("language_model.model.")) {
            Some(Layout::Microsoft)
        } else if any(|n| n.starts_with("model.multi_modal_projector.")) {
            Some(Layout::Native)
        } else {
            None
        }
    }

    /// The name in a file of this layout of a tensor with this native name.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Layout;
    ///
    /// assert_eq!(
    ///     Layout::Microsoft.name_in_file("model.vision_tower.blocks.2.8.spatial_block.norm1.bias"),
    ///     "vision_tower.blocks.2.8.spatial_block.window_attn.norm.bias",
    /// );
    /// let native = "model.language_model.shared.weight";
    /// assert_eq!(Layout::Native.name_in_file(native), native);
    /// ```
    pub fn name_in_file(self, native: &str) -> String {
        match self {
            Layout::Native => native.to_owned(),
            Layout::Microsoft => microsoft(native),
        }
    }

    /// Whether the file stores the transpose of the native tensor. Microsoft
    /// keeps the projection as (in, out) and multiplies it from the right.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::Layout;
    ///
    /// let projection = "model.multi_modal_projector.image_projection.weight";
    /// assert!(Layout::Microsoft.is_transposed(projection));
    /// assert!(!Layout::Native.is_transposed(projection));
    /// ```
    pub fn is_transposed(self, native: &str) -> bool {
        self == Layout::Microsoft && native == "model.multi_modal_projector.image_projection.weight"
    }
}

fn microsoft(native: &str) -> String {
    if native == "lm_head.weight" || native == "final_logits_bias" {
        return format!("language_model.{native}");
    }
    let Some(name) = native.strip_prefix("model.") else {
        return native.to_owned();
    };
    if let Some(rest) = name.strip_prefix("language_model.") {
        return format!("language_model.model.{rest}");
    }
    if let Some(rest) = name.strip_prefix("multi_modal_projector.") {
        return if rest == "image_projection.weight" {
            "image_projection".to_owned()
        } else {
            rest.replacen("image_position_embed.", "image_pos_embed.", 1)
        };
    }
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["vision_tower", "convs", stage, "conv", leaf] => {
            format!("vision_tower.convs.{stage}.proj.{leaf}")
        }
        ["vision_tower", "blocks", stage, depth, block, ref rest @ ..] => {
            let inner = block_part(block, rest);
            format!("vision_tower.blocks.{stage}.{depth}.{block}.{inner}")
        }
        _ => name.to_owned(),
    }
}

/// Inside a block Microsoft wraps each part in modules: `fn` around what is
/// added to the residual, `norm` beside it, `dw` for the depthwise convolution
/// and `net` for the two layers of the feed-forward part.
fn block_part(block: &str, rest: &[&str]) -> String {
    let attention = if block == "spatial_block" {
        "window_attn"
    } else {
        "channel_attn"
    };
    match rest {
        [conv @ ("conv1" | "conv2"), leaf] => format!("{conv}.fn.dw.{leaf}"),
        ["norm1", leaf] => format!("{attention}.norm.{leaf}"),
        ["norm2", leaf] => format!("ffn.norm.{leaf}"),
        ["ffn", layer, leaf] => format!("ffn.fn.net.{layer}.{leaf}"),
        [attention, layer, leaf] => format!("{attention}.fn.{layer}.{leaf}"),
        _ => rest.join("."),
    }
}
