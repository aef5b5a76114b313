//! DaViT: four stages of patch embedding, window and channel attention.

use candle_core::Tensor;

use super::FeatureMap;
use super::block::{Attention, Block};
use super::channel_attention::ChannelAttention;
use super::patch_embed::PatchEmbed;
use super::window_attention::WindowAttention;
use crate::checkpoint::Weights;
use crate::config::VisionConfig;
use crate::error::Result;
use crate::ops::Patches;
use crate::probe::Probe;

/// Channels of the image.
const RGB: usize = 3;

#[derive(Debug)]
pub(crate) struct Tower {
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    embed: PatchEmbed,
    blocks: Vec<Block>,
}

impl Tower {
    pub(crate) fn load(weights: &Weights, config: &VisionConfig) -> Result<Self> {
        let stages = (0..config.stages())
            .map(|stage| Stage::load(weights, config, stage))
            .collect::<Result<_>>()?;
        Ok(Self { stages })
    }

    /// `pixels: (batch, 3, height, width)`, normalised, to the last feature map.
    pub(crate) fn forward(
        &self,
        pixels: &Tensor,
        probe: &mut Probe<'_>,
    ) -> candle_core::Result<FeatureMap> {
        let (_, _, height, width) = pixels.dims4()?;
        let tokens = pixels.permute((0, 2, 3, 1))?.flatten(1, 2)?.contiguous()?;
        let mut map = FeatureMap {
            tokens,
            height,
            width,
        };
        for (index, stage) in self.stages.iter().enumerate() {
            map = stage.embed.forward(&map)?;
            probe(format_args!("vision.conv.{index}"), &map.tokens);
            for (depth, block) in stage.blocks.iter().enumerate() {
                map = block.forward(&map)?;
                let kind = if depth % 2 == 0 { "spatial" } else { "channel" };
                probe(
                    format_args!("vision.stage.{index}.block.{}.{kind}", depth / 2),
                    &map.tokens,
                );
            }
        }
        Ok(map)
    }
}

impl Stage {
    fn load(weights: &Weights, config: &VisionConfig, stage: usize) -> Result<Self> {
        let dim = config.embed_dim[stage];
        let hidden = config.mlp_hidden(stage);
        let input = if stage == 0 {
            RGB
        } else {
            config.embed_dim[stage - 1]
        };
        let patches = Patches {
            kernel: config.patch_size[stage],
            stride: config.patch_stride[stage],
            padding: config.patch_padding[stage],
        };
        let embed = PatchEmbed::load(
            &weights.pp("convs").pp(stage),
            patches,
            (input, dim),
            config.patch_prenorm[stage],
        )?;
        let mut blocks = Vec::with_capacity(2 * config.depths[stage]);
        for depth in 0..config.depths[stage] {
            let pair = weights.pp("blocks").pp(stage).pp(depth);
            let spatial = pair.pp("spatial_block");
            let window = WindowAttention::load(
                &spatial.pp("window_attn"),
                dim,
                config.num_heads[stage],
                config.window_size,
                config.qkv_bias,
            )?;
            blocks.push(Block::load(
                &spatial,
                dim,
                hidden,
                Attention::Window(window),
            )?);
            let channel = pair.pp("channel_block");
            let groups = ChannelAttention::load(
                &channel.pp("channel_attn"),
                dim,
                config.num_groups[stage],
                config.qkv_bias,
            )?;
            blocks.push(Block::load(
                &channel,
                dim,
                hidden,
                Attention::Channel(groups),
            )?);
        }
        Ok(Self { embed, blocks })
    }
}
