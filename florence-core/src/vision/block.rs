//! A DaViT block: attention and feed-forward, each after a depthwise convolution.

use candle_core::Tensor;

use super::FeatureMap;
use super::channel_attention::ChannelAttention;
use super::mlp::Mlp;
use super::window_attention::WindowAttention;
use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::LayerNorm;
use crate::ops;

/// What a block mixes: tokens within windows, or channels within groups.
#[derive(Debug)]
pub(crate) enum Attention {
    Window(WindowAttention),
    Channel(ChannelAttention),
}

impl Attention {
    fn forward(&self, map: &FeatureMap) -> candle_core::Result<Tensor> {
        match self {
            Self::Window(attention) => attention.forward(map),
            Self::Channel(attention) => attention.forward(&map.tokens),
        }
    }
}

/// `x += conv1(x); x += attention(norm1(x)); x += conv2(x); x += mlp(norm2(x))`.
#[derive(Debug)]
pub(crate) struct Block {
    conv1: Depthwise,
    norm1: LayerNorm,
    attention: Attention,
    conv2: Depthwise,
    norm2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    pub(crate) fn load(
        weights: &Weights,
        dim: usize,
        hidden: usize,
        attention: Attention,
    ) -> Result<Self> {
        Ok(Self {
            conv1: Depthwise::load(&weights.pp("conv1"), dim)?,
            norm1: LayerNorm::load(&weights.pp("norm1"), dim)?,
            attention,
            conv2: Depthwise::load(&weights.pp("conv2"), dim)?,
            norm2: LayerNorm::load(&weights.pp("norm2"), dim)?,
            mlp: Mlp::load(&weights.pp("ffn"), dim, hidden)?,
        })
    }

    pub(crate) fn forward(&self, map: &FeatureMap) -> candle_core::Result<FeatureMap> {
        let x = self.conv1.forward(map)?;
        let attended = self.attention.forward(&map.with(self.norm1.forward(&x)?))?;
        let x = self.conv2.forward(&map.with((x + attended)?))?;
        let fed = self.mlp.forward(&self.norm2.forward(&x)?)?;
        Ok(map.with((x + fed)?))
    }
}

#[derive(Debug)]
struct Depthwise {
    /// `(9, dim)`
    weight: Tensor,
    bias: Tensor,
}

impl Depthwise {
    fn load(weights: &Weights, dim: usize) -> Result<Self> {
        let weight = weights
            .get("weight", &[dim, 1, 3, 3])?
            .reshape((dim, 9))?
            .t()?
            .contiguous()?;
        Ok(Self {
            weight,
            bias: weights.get("bias", &[dim])?,
        })
    }

    fn forward(&self, map: &FeatureMap) -> candle_core::Result<Tensor> {
        ops::depthwise3x3_residual(&map.tokens, map.size(), &self.weight, &self.bias)
    }
}
