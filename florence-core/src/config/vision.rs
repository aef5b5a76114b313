//! The vision tower's dimensions.

use super::{ConfigDialect, read::Section};
use crate::Result;

/// Maximum plausible width of a layer; larger numbers are corruption.
const MAX_WIDTH: usize = 1 << 13;

/// One way of turning the last feature map into visual tokens.
///
/// Microsoft's code computes all of them and concatenates those that
/// `image_feature_source` lists, in its order; the transformers code always
/// does `[SpatialAvgPool, TemporalAvgPool]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeatureSource {
    /// The mean over all positions of each frame: one token per frame.
    SpatialAvgPool,
    /// The mean over all frames at each position: one token per position.
    TemporalAvgPool,
    /// The positions of the last frame; for one image the same as
    /// [`FeatureSource::TemporalAvgPool`].
    LastFrame,
}

/// The activation function between the two layers of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `x · Φ(x)` with the exact error function, which every published
    /// checkpoint uses (`"gelu"`).
    Gelu,
}

impl Activation {
    pub(super) fn read(section: &Section<'_>) -> Result<Self> {
        section.one_of("activation_function", "gelu", &["gelu"])?;
        Ok(Activation::Gelu)
    }
}

/// The DaViT vision tower and its projector.
///
/// All lists hold one entry per stage and have the same length. Defaults are
/// those of the class that reads the file in the reference: Florence-2-large
/// for Microsoft's `Florence2VisionConfig`, Florence-2-base for the one in
/// transformers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VisionConfig {
    /// Color channels of an image: 3.
    pub in_channels: usize,
    /// Channels of each stage (`embed_dim`, Microsoft: `dim_embed`).
    pub embed_dim: Vec<usize>,
    /// Pairs of a spatial and a channel block in each stage.
    pub depths: Vec<usize>,
    /// Heads of the window attention; each divides the stage's channels.
    pub num_heads: Vec<usize>,
    /// Groups of the channel attention; each divides the stage's channels.
    pub num_groups: Vec<usize>,
    /// Kernel side of each stage's patch embedding, in pixels of its input map.
    pub patch_size: Vec<usize>,
    /// Stride of each stage's patch embedding.
    pub patch_stride: Vec<usize>,
    /// Zero padding on each side of each stage's patch embedding.
    pub patch_padding: Vec<usize>,
    /// Whether the LayerNorm precedes the convolution (over its input channels) or follows it (over
    /// its output channels).
    pub patch_prenorm: Vec<bool>,
    /// Side of the attention windows, in positions.
    pub window_size: usize,
    /// Hidden width of the feed-forward blocks as a multiple of the stage's
    /// channels; 4 unless a native configuration says otherwise.
    pub mlp_ratio: f64,
    /// Whether the packed query/key/value projections have a bias.
    pub qkv_bias: bool,
    /// The feed-forward blocks' activation.
    pub activation: Activation,
    /// Width of the visual tokens; equal to the text model's `d_model`.
    pub projection_dim: usize,
    /// Rows of the learned row and column tables: the largest side of the last
    /// feature map.
    pub max_position_embeddings: usize,
    /// Rows of the sinusoidal frame table; an image uses row 0.
    pub max_temporal_embeddings: usize,
    /// The visual tokens, in order.
    pub image_feature_source: Vec<FeatureSource>,
}

impl VisionConfig {
    pub(super) fn read(s: &Section<'_>, dialect: ConfigDialect) -> Result<Self> {
        s.one_of(
            "model_type",
            "",
            &["", "davit", "florence_vision", "florence2_vision"],
        )?;
        let (dims, heads): (&[usize], &[usize]) = match dialect {
            ConfigDialect::Microsoft => (&[256, 512, 1024, 2048], &[8, 16, 32, 64]),
            ConfigDialect::Native => (&[128, 256, 512, 1024], &[4, 8, 16, 32]),
        };
        let dim_key = if s.has("dim_embed") {
            "dim_embed"
        } else {
            "embed_dim"
        };
        if s.has("dim_embed") && s.has("embed_dim") && s.value("dim_embed") != s.value("embed_dim")
        {
            return Err(s.refuse("embed_dim", "the same list as `dim_embed`"));
        }
        let embed_dim = s.usizes(dim_key, dims, 1..=MAX_WIDTH)?;
        let stages = embed_dim.len();
        if !(1..=16).contains(&stages) {
            return Err(s.refuse(dim_key, "a list of 1 to 16 stages"));
        }
        let per_stage = |key: &str, default: &[usize], range| -> Result<Vec<usize>> {
            let list = s.usizes(key, default, range)?;
            if list.len() == stages {
                Ok(list)
            } else {
                Err(s.refuse(key, format!("{stages} items, as many as `{dim_key}`")))
            }
        };
        let num_heads = per_stage("num_heads", heads, 1..=MAX_WIDTH)?;
        let num_groups = per_stage("num_groups", heads, 1..=MAX_WIDTH)?;
        for (key, list) in [("num_heads", &num_heads), ("num_groups", &num_groups)] {
            if list.iter().zip(&embed_dim).any(|(n, dim)| dim % n != 0) {
                return Err(s.refuse(key, format!("divisors of the stages' widths {embed_dim:?}")));
            }
        }
        let depths = per_stage("depths", &[1, 1, 9, 1], 1..=256)?;
        let patch_size = per_stage("patch_size", &[7, 3, 3, 3], 1..=64)?;
        let patch_stride = per_stage("patch_stride", &[4, 2, 2, 2], 1..=64)?;
        let patch_padding = per_stage("patch_padding", &[3, 1, 1, 1], 0..=63)?;
        if patch_padding.iter().zip(&patch_size).any(|(p, k)| p >= k) {
            return Err(s.refuse(
                "patch_padding",
                format!("less than the kernels {patch_size:?}"),
            ));
        }
        let patch_prenorm = s.bools("patch_prenorm", &[false, true, true, true])?;
        if patch_prenorm.len() != stages {
            return Err(s.refuse(
                "patch_prenorm",
                format!("{stages} items, as many as `{dim_key}`"),
            ));
        }
        if embed_dim[stages - 1] % 2 != 0 {
            return Err(s.refuse(
                dim_key,
                "an even last width: half of it encodes the row, half the column",
            ));
        }
        Ok(VisionConfig {
            in_channels: s.usize("in_channels", 3, 3..=3)?,
            depths,
            num_heads,
            num_groups,
            patch_size,
            patch_stride,
            patch_padding,
            patch_prenorm,
            window_size: s.usize("window_size", 12, 1..=1024)?,
            mlp_ratio: s.float("mlp_ratio", 4.0, 0.0..=64.0).and_then(|ratio| {
                if embed_dim.iter().any(|d| (*d as f64 * ratio) < 1.0) {
                    Err(s.refuse("mlp_ratio", "at least one hidden channel per stage"))
                } else {
                    Ok(ratio)
                }
            })?,
            qkv_bias: s.bool("qkv_bias", true)?,
            activation: Activation::read(s)?,
            projection_dim: s.usize("projection_dim", 1024, 1..=MAX_WIDTH)?,
            max_position_embeddings: table_rows(
                s,
                "image_pos_embed",
                ("max_pos_embeddings", "max_position_embeddings"),
                "learned_abs_2d",
                50,
            )?,
            max_temporal_embeddings: table_rows(
                s,
                "visual_temporal_embedding",
                ("max_temporal_embeddings", "max_temporal_embeddings"),
                "COSINE",
                100,
            )?,
            image_feature_source: feature_sources(s)?,
            embed_dim,
        })
    }

    /// Number of stages.
    ///
    /// # Example: stages and widths of Florence-2-base
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// let config = florence_core::Config::from_json(json, None, None)?;
    /// assert_eq!(config.vision.stages(), 4);
    /// assert_eq!(config.vision.last_dim(), 1024);
    /// assert_eq!(config.vision.mlp_hidden(0), 512);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn stages(&self) -> usize {
        self.embed_dim.len()
    }

    /// Channels of the last feature map.
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// let config = florence_core::Config::from_json(json, None, None)?;
    /// assert_eq!(config.vision.last_dim(), 1024);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn last_dim(&self) -> usize {
        self.embed_dim.last().copied().unwrap_or(0)
    }

    /// Hidden width of the feed-forward blocks of one stage:
    /// `int(embed_dim · mlp_ratio)`, as in the reference.
    ///
    /// # Panics
    ///
    /// When `stage` is not below [`VisionConfig::stages`].
    ///
    /// # Example
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// let config = florence_core::Config::from_json(json, None, None)?;
    /// assert_eq!(config.vision.mlp_hidden(0), 512);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn mlp_hidden(&self, stage: usize) -> usize {
        (self.embed_dim[stage] as f64 * self.mlp_ratio) as usize
    }

    /// Width or height of the feature map after each stage, for an image of that width or height:
    /// `(side + 2·padding − kernel) / stride + 1`, stage by stage.
    ///
    /// `None` when a map would be smaller than a kernel.
    ///
    /// # Example: 768 pixels give 24 positions
    ///
    /// ```
    /// # let json = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/config/base/config.json"));
    /// let config = florence_core::Config::from_json(json, None, None)?;
    /// assert_eq!(config.vision.map_sides(768), Some(vec![192, 96, 48, 24]));
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn map_sides(&self, side: usize) -> Option<Vec<usize>> {
        let mut side = side;
        (0..self.stages())
            .map(|i| {
                let padded = side.checked_add(2 * self.patch_padding[i])?;
                side = padded.checked_sub(self.patch_size[i])? / self.patch_stride[i] + 1;
                Some(side)
            })
            .collect()
    }
}

/// Reads the length of a position table from Microsoft's nested object or the
/// native flat key.
fn table_rows(
    s: &Section<'_>,
    object: &str,
    (nested_key, flat_key): (&str, &str),
    kind: &str,
    default: usize,
) -> Result<usize> {
    const MAX_ROWS: usize = 1 << 12;
    if let Some(nested) = s.section(object)? {
        nested.one_of("type", kind, &[kind])?;
        return nested.usize(nested_key, default, 1..=MAX_ROWS);
    }
    s.usize(flat_key, default, 1..=MAX_ROWS)
}

fn feature_sources(s: &Section<'_>) -> Result<Vec<FeatureSource>> {
    use FeatureSource::{LastFrame, SpatialAvgPool, TemporalAvgPool};
    let key = "image_feature_source";
    let refuse = || {
        s.refuse(
            key,
            "a list of 1 to 8 of \"spatial_avg_pool\", \"temporal_avg_pool\", \"last_frame\"",
        )
    };
    let Some(items) = s.list(key)? else {
        return Ok(vec![SpatialAvgPool, TemporalAvgPool]);
    };
    if !(1..=8).contains(&items.len()) {
        return Err(refuse());
    }
    items
        .iter()
        .map(|item| match item.as_str() {
            Some("spatial_avg_pool") => Ok(SpatialAvgPool),
            Some("temporal_avg_pool") => Ok(TemporalAvgPool),
            Some("last_frame") => Ok(LastFrame),
            _ => Err(refuse()),
        })
        .collect()
}
