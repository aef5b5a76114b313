//! The two layers that every part of the network is made of.

use candle_core::Tensor;

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::ops;

/// `x·Wᵀ + b`, with `weight: (out, in)`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    pub(crate) fn load(weights: &Weights, input: usize, output: usize) -> Result<Self> {
        Ok(Self::new(
            weights.get("weight", &[output, input])?,
            Some(weights.get("bias", &[output])?),
        ))
    }

    /// A layer that has a bias only when `bias` says so.
    pub(crate) fn load_with(
        weights: &Weights,
        input: usize,
        output: usize,
        bias: bool,
    ) -> Result<Self> {
        let weight = weights.get("weight", &[output, input])?;
        let bias = bias.then(|| weights.get("bias", &[output])).transpose()?;
        Ok(Self::new(weight, bias))
    }

    /// `x: (…, in)` to `(…, out)`.
    pub(crate) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let (output, input) = self.weight.dims2()?;
        let rows = x.elem_count() / input;
        let y = x.reshape((rows, input))?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        if let Some(last) = shape.last_mut() {
            *last = output;
        }
        y.reshape(shape)
    }
}

/// Layer normalisation over the last dimension.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// PyTorch's default, which the reference uses everywhere.
    const EPS: f32 = 1e-5;

    pub(crate) fn load(weights: &Weights, dim: usize) -> Result<Self> {
        Ok(Self {
            weight: weights.get("weight", &[dim])?,
            bias: weights.get("bias", &[dim])?,
        })
    }

    /// `x: (…, dim)`, normalised.
    pub(crate) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        ops::layer_norm(x, &self.weight, &self.bias, Self::EPS)
    }
}
