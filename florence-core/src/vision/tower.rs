//! DaViT: four stages of patch embedding, window and channel attention.

use candle_core::Tensor;

use super::FeatureMap;
use super::block::Block;
use super::patch_embed::PatchEmbed;
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
            blocks.push(Block::spatial(&pair.pp("spatial_block"), config, stage)?);
            blocks.push(Block::channel(&pair.pp("channel_block"), config, stage)?);
        }
        Ok(Self { embed, blocks })
    }
}
