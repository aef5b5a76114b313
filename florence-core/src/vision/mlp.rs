//! The feed-forward half of a DaViT block.

use candle_core::Tensor;

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::Linear;

#[derive(Debug)]
pub(crate) struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Mlp {
    pub(crate) fn load(weights: &Weights, dim: usize, hidden: usize) -> Result<Self> {
        Ok(Self {
            fc1: Linear::load(&weights.pp("fc1"), dim, hidden)?,
            fc2: Linear::load(&weights.pp("fc2"), hidden, dim)?,
        })
    }

    /// `x: (batch, tokens, dim)`; the activation is the exact, erf form of GELU.
    pub(crate) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.fc2.forward(&self.fc1.forward(x)?.gelu_erf()?)
    }
}
