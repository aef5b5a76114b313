//! Self-attention inside non-overlapping square windows of the map.

use candle_core::{D, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::FeatureMap;
use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::Linear;

#[derive(Debug)]
pub(crate) struct WindowAttention {
    qkv: Linear,
    proj: Linear,
    heads: usize,
    window: usize,
}

impl WindowAttention {
    pub(crate) fn load(
        weights: &Weights,
        dim: usize,
        heads: usize,
        window: usize,
        qkv_bias: bool,
    ) -> Result<Self> {
        Ok(Self {
            qkv: Linear::load_with(&weights.pp("qkv"), dim, 3 * dim, qkv_bias)?,
            proj: Linear::load(&weights.pp("proj"), dim, dim)?,
            heads,
            window,
        })
    }

    /// The normalised map is padded right and bottom with zeros to a multiple
    /// of the window, *without* a mask: padded tokens take part as their bias.
    pub(crate) fn forward(&self, map: &FeatureMap) -> candle_core::Result<Tensor> {
        let (batch, tokens, dim) = map.tokens.dims3()?;
        let (window, heads) = (self.window, self.heads);
        let (rows, columns) = (map.height.div_ceil(window), map.width.div_ceil(window));
        let grid = map
            .tokens
            .reshape((batch, map.height, map.width, dim))?
            .pad_with_zeros(1, 0, rows * window - map.height)?
            .pad_with_zeros(2, 0, columns * window - map.width)?;
        let windows = grid
            .reshape(&[batch, rows, window, columns, window, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch * rows * columns, window * window, dim))?;

        let head_dim = dim / heads;
        let qkv = self
            .qkv
            .forward(&windows)?
            .reshape((batch * rows * columns, window * window, 3, heads, head_dim))?
            .permute((2, 0, 3, 1, 4))?;
        let query = (qkv.get(0)?.contiguous()? * (head_dim as f64).powf(-0.5))?;
        let (key, value) = (qkv.get(1)?.contiguous()?, qkv.get(2)?.contiguous()?);
        let attention = softmax_last_dim(&query.matmul(&key.transpose(D::Minus2, D::Minus1)?)?)?;
        let mixed = attention.matmul(&value)?.transpose(1, 2)?.reshape((
            batch * rows * columns,
            window * window,
            dim,
        ))?;

        self.proj
            .forward(&mixed)?
            .reshape(&[batch, rows, columns, window, window, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch, rows * window, columns * window, dim))?
            .narrow(1, 0, map.height)?
            .narrow(2, 0, map.width)?
            .reshape((batch, tokens, dim))
    }
}
