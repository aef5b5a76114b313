//! Convolutional patch embedding: the entry of every DaViT stage.

use candle_core::Result as CandleResult;

use super::FeatureMap;
use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::norm;
use crate::ops::{self, Affine, Norm, Patches, Weight};

#[derive(Debug)]
pub(crate) struct PatchEmbed {
    prenorm: Option<Norm>,
    embed: ops::PatchEmbed,
}

impl PatchEmbed {
    /// The convolution stays f32 in every precision: the first one sees raw
    /// pixels, and all four are 5 % of the tower's work.
    pub(crate) fn load(
        weights: &Weights,
        patches: Patches,
        (input, output): (usize, usize),
        prenorm: bool,
    ) -> Result<Self> {
        let area = patches.kernel * patches.kernel;
        let stored = weights.values(
            "conv.weight",
            &[output, input, patches.kernel, patches.kernel],
        )?;
        // (out, in, kernel²) to (out, kernel², in).
        let weight = Weight::exactly(output, area * input, |rows, values: &mut [f32]| {
            let stored = &stored[rows.start * input * area..];
            for (at, value) in values.iter_mut().enumerate() {
                let (row, place, channel) = (at / (area * input), at / input % area, at % input);
                *value = stored[(row * input + channel) * area + place];
            }
            Ok::<_, crate::Error>(())
        })?;
        let conv = Affine::new(weight, Some(weights.values("conv.bias", &[output])?))?;
        let norm = norm(&weights.pp("norm"), if prenorm { input } else { output })?;
        let (prenorm, norm) = if prenorm {
            (Some(norm), None)
        } else {
            (None, Some(norm))
        };
        Ok(Self {
            prenorm,
            embed: ops::PatchEmbed::new(patches, conv, norm)?,
        })
    }

    pub(crate) fn forward(&self, map: &FeatureMap) -> CandleResult<FeatureMap> {
        let normed = match &self.prenorm {
            Some(norm) => ops::layer_norm(&map.tokens, norm)?,
            None => map.tokens.clone(),
        };
        let patches = self.embed.patches;
        Ok(FeatureMap {
            tokens: ops::patch_embed(&normed, map.size(), &self.embed)?,
            height: patches.count(map.height),
            width: patches.count(map.width),
        })
    }
}
