//! A DaViT block: attention and feed-forward, each after a depthwise convolution.

use candle_core::Result as CandleResult;

use super::FeatureMap;
use crate::checkpoint::Weights;
use crate::config::VisionConfig;
use crate::error::Result;
use crate::layers::{affine, affine_with, mlp, norm};
use crate::ops::{self, ChannelAttention, Depthwise, Mlp, NormAt, WindowAttention};

/// What a block mixes: tokens within windows, or channels within groups.
#[derive(Debug)]
enum Attention {
    Window(WindowAttention),
    Channel(ChannelAttention),
}

/// `x += conv1(x); x += attention(norm1(x)); x += conv2(x); x += mlp(norm2(x))`.
#[derive(Debug)]
pub(crate) struct Block {
    conv1: Depthwise,
    attention: Attention,
    conv2: Depthwise,
    mlp: Mlp,
}

impl Block {
    pub(crate) fn spatial(weights: &Weights, config: &VisionConfig, stage: usize) -> Result<Self> {
        let (dim, attention) = (config.embed_dim[stage], weights.pp("window_attn"));
        let window = WindowAttention::new(
            norm(&weights.pp("norm1"), dim)?,
            affine_with(&attention.pp("qkv"), dim, 3 * dim, config.qkv_bias)?,
            affine(&attention.pp("proj"), dim, dim)?,
            config.num_heads[stage],
            config.window_size,
        )?;
        Self::load(weights, config, stage, Attention::Window(window))
    }

    pub(crate) fn channel(weights: &Weights, config: &VisionConfig, stage: usize) -> Result<Self> {
        let (dim, attention) = (config.embed_dim[stage], weights.pp("channel_attn"));
        let groups = ChannelAttention::new(
            norm(&weights.pp("norm1"), dim)?,
            affine_with(&attention.pp("qkv"), dim, 3 * dim, config.qkv_bias)?,
            affine(&attention.pp("proj"), dim, dim)?,
            config.num_groups[stage],
        )?;
        Self::load(weights, config, stage, Attention::Channel(groups))
    }

    fn load(
        weights: &Weights,
        config: &VisionConfig,
        stage: usize,
        attention: Attention,
    ) -> Result<Self> {
        let dim = config.embed_dim[stage];
        let norm = norm(&weights.pp("norm2"), dim)?;
        let hidden = config.mlp_hidden(stage);
        Ok(Self {
            conv1: depthwise(&weights.pp("conv1"), dim)?,
            attention,
            conv2: depthwise(&weights.pp("conv2"), dim)?,
            mlp: mlp(&weights.pp("ffn"), norm, NormAt::Input, hidden)?,
        })
    }

    pub(crate) fn forward(&self, map: &FeatureMap) -> CandleResult<FeatureMap> {
        let size = map.size();
        let x = ops::depthwise3x3_residual(&map.tokens, size, &self.conv1)?;
        match &self.attention {
            Attention::Window(attention) => ops::window_attention(&x, size, attention)?,
            Attention::Channel(attention) => ops::channel_attention(&x, attention)?,
        }
        let x = ops::depthwise3x3_residual(&x, size, &self.conv2)?;
        ops::mlp(&x, &self.mlp)?;
        Ok(map.with(x))
    }
}

/// The checkpoint has the taps of a channel side by side; the kernel wants the
/// channels of a tap so.
fn depthwise(weights: &Weights, dim: usize) -> Result<Depthwise> {
    let stored = weights.values("weight", &[dim, 1, 3, 3])?;
    let taps = (0..9).flat_map(|tap| stored.iter().skip(tap).step_by(9).copied());
    Ok(Depthwise::new(
        taps.collect(),
        weights.values("bias", &[dim])?,
    )?)
}
