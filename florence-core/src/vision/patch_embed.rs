//! Convolutional patch embedding: the entry of every DaViT stage.

use candle_core::Tensor;

use super::FeatureMap;
use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::LayerNorm;
use crate::ops::{self, Patches};

#[derive(Debug)]
pub(crate) struct PatchEmbed {
    patches: Patches,
    /// `(kernel·kernel·in, out)`
    weight: Tensor,
    bias: Tensor,
    norm: LayerNorm,
    prenorm: bool,
}

impl PatchEmbed {
    pub(crate) fn load(
        weights: &Weights,
        patches: Patches,
        (input, output): (usize, usize),
        prenorm: bool,
    ) -> Result<Self> {
        let kernel = patches.kernel;
        let weight = weights
            .get("conv.weight", &[output, input, kernel, kernel])?
            .permute((2, 3, 1, 0))?
            .reshape((kernel * kernel * input, output))?;
        let bias = weights.get("conv.bias", &[output])?;
        let norm = LayerNorm::load(&weights.pp("norm"), if prenorm { input } else { output })?;
        Ok(Self {
            patches,
            weight,
            bias,
            norm,
            prenorm,
        })
    }

    pub(crate) fn forward(&self, map: &FeatureMap) -> candle_core::Result<FeatureMap> {
        let normed = if self.prenorm {
            Some(self.norm.forward(&map.tokens)?)
        } else {
            None
        };
        let rows = ops::extract_patches(
            normed.as_ref().unwrap_or(&map.tokens),
            map.size(),
            self.patches,
        )?;
        let (batch, tokens, row) = rows.dims3()?;
        let output = self.weight.dim(1)?;
        let tokens = rows
            .reshape((batch * tokens, row))?
            .matmul(&self.weight)?
            .broadcast_add(&self.bias)?
            .reshape((batch, tokens, output))?;
        let tokens = if self.prenorm {
            tokens
        } else {
            self.norm.forward(&tokens)?
        };
        Ok(FeatureMap {
            tokens,
            height: self.patches.count(map.height),
            width: self.patches.count(map.width),
        })
    }
}
