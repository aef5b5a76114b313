//! DaViT: four stages of patch embedding, window and channel attention.

use candle_core::Tensor;

use super::FeatureMap;
use super::block::Block;
use crate::backend::{Backend, NormAt, PatchEmbed, Patches};
use crate::checkpoint::Weights;
use crate::config::VisionConfig;
use crate::error::Result;
use crate::network::layers::layer_norm;
use crate::network::loader::Loader;
use crate::probe::Observer;

/// Channels of the image.
const RGB: usize = 3;

#[derive(Debug)]
pub(crate) struct Tower<B: Backend> {
    stages: Vec<Stage<B>>,
}

#[derive(Debug)]
struct Stage<B: Backend> {
    embed: PatchEmbed<B>,
    blocks: Vec<Block<B>>,
}

impl<B: Backend> Tower<B> {
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
    ) -> Result<Self> {
        let stages = (0..config.stages())
            .map(|stage| Stage::load(loader, weights, config, stage))
            .collect::<Result<_>>()?;
        Ok(Self { stages })
    }

    /// `pixels: (batch, 3, height, width)`, normalized, to the last feature map.
    pub(crate) fn forward(
        &self,
        backend: &B,
        pixels: &Tensor,
        observer: &mut Observer<'_>,
    ) -> candle_core::Result<FeatureMap<B>> {
        let (_, _, height, width) = pixels.dims4()?;
        let mut map = FeatureMap {
            x: backend.channels_last(pixels)?,
            size: (height, width),
        };
        for (index, stage) in self.stages.iter().enumerate() {
            let patches = stage.embed.patches;
            map = FeatureMap {
                x: backend.patch_embed(map.x, map.size, &stage.embed)?,
                size: (patches.count(map.size.0), patches.count(map.size.1)),
            };
            observer.observe(backend, format_args!("vision.conv.{index}"), &map.x)?;
            for (depth, block) in stage.blocks.iter().enumerate() {
                map = block.forward(backend, map)?;
                let kind = if depth % 2 == 0 { "spatial" } else { "channel" };
                let depth = depth / 2;
                let name = format_args!("vision.stage.{index}.block.{depth}.{kind}");
                observer.observe(backend, name, &map.x)?;
            }
        }
        Ok(map)
    }
}

impl<B: Backend> Stage<B> {
    fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
        stage: usize,
    ) -> Result<Self> {
        let dim = config.embed_dim[stage];
        let input = match stage {
            0 => RGB,
            _ => config.embed_dim[stage - 1],
        };
        let patches = Patches {
            kernel: config.patch_size[stage],
            stride: config.patch_stride[stage],
            padding: config.patch_padding[stage],
        };
        let (norm_at, normed) = match config.patch_prenorm[stage] {
            true => (NormAt::Input, input),
            false => (NormAt::Output, dim),
        };
        let embed = weights.pp("convs").pp(stage);
        let kernel = [dim, input, patches.kernel, patches.kernel];
        let conv = loader.conv(
            &embed.get("conv.weight", &kernel)?,
            &embed.get("conv.bias", &[dim])?,
        )?;
        let norm = layer_norm(loader, &embed.pp("norm"), normed)?;
        let mut blocks = Vec::with_capacity(2 * config.depths[stage]);
        for depth in 0..config.depths[stage] {
            let pair = weights.pp("blocks").pp(stage).pp(depth);
            let (spatial, channel) = (pair.pp("spatial_block"), pair.pp("channel_block"));
            blocks.push(Block::spatial(loader, &spatial, config, stage)?);
            blocks.push(Block::channel(loader, &channel, config, stage)?);
        }
        Ok(Self {
            embed: PatchEmbed::new(patches, conv, norm, norm_at)?,
            blocks,
        })
    }
}
