//! The feed-forward half of a BART layer, post-norm.

use candle_core::Tensor;

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::{LayerNorm, Linear};

#[derive(Debug)]
pub(crate) struct FeedForward {
    fc1: Linear,
    fc2: Linear,
    norm: LayerNorm,
}

impl FeedForward {
    pub(crate) fn load(weights: &Weights, dim: usize, hidden: usize) -> Result<Self> {
        Ok(Self {
            fc1: Linear::load(&weights.pp("fc1"), dim, hidden)?,
            fc2: Linear::load(&weights.pp("fc2"), hidden, dim)?,
            norm: LayerNorm::load(&weights.pp("final_layer_norm"), dim)?,
        })
    }

    /// `norm(x + fc2(gelu(fc1(x))))` with the exact, erf form of GELU.
    pub(crate) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let fed = self.fc2.forward(&self.fc1.forward(x)?.gelu_erf()?)?;
        self.norm.forward(&(x + fed)?)
    }
}
