//! Self-attention between the channels of a group, over all tokens.

use candle_core::{D, Tensor};
use candle_nn::ops::softmax_last_dim;

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::Linear;

#[derive(Debug)]
pub(crate) struct ChannelAttention {
    qkv: Linear,
    proj: Linear,
    groups: usize,
}

impl ChannelAttention {
    pub(crate) fn load(
        weights: &Weights,
        dim: usize,
        groups: usize,
        qkv_bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            qkv: Linear::load_with(&weights.pp("qkv"), dim, 3 * dim, qkv_bias)?,
            proj: Linear::load(&weights.pp("proj"), dim, dim)?,
            groups,
        })
    }

    /// `x: (batch, tokens, dim)`. The scale is `tokens^-0.5`: the dot products
    /// run over tokens, not over the channels of a head.
    pub(crate) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (batch, tokens, dim) = x.dims3()?;
        let width = dim / self.groups;
        // (3, batch, groups, width, tokens)
        let qkv = self
            .qkv
            .forward(x)?
            .reshape((batch, tokens, 3, self.groups, width))?
            .permute((2, 0, 3, 4, 1))?;
        let query = (qkv.get(0)?.contiguous()? * (tokens as f64).powf(-0.5))?;
        let (key, value) = (qkv.get(1)?.contiguous()?, qkv.get(2)?.contiguous()?);
        let scores = query.matmul(&key.transpose(D::Minus2, D::Minus1)?)?;
        let attention = softmax_last_dim(&scores)?;
        let mixed = attention
            .matmul(&value)?
            .permute((0, 3, 1, 2))?
            .reshape((batch, tokens, dim))?;
        self.proj.forward(&mixed)
    }
}
