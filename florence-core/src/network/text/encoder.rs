//! BART's encoder over `[visual tokens ; prompt]`.

use candle_core::Result as CandleResult;

use super::embedding::PositionEmbedding;
use crate::backend::{Attention, Backend, Mlp, NormAt};
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::network::layers::{layer_norm, mlp, self_attention};
use crate::network::loader::Loader;
use crate::probe::Observer;

#[derive(Debug)]
pub(crate) struct Encoder<B: Backend> {
    positions: PositionEmbedding<B>,
    layers: Vec<Layer<B>>,
}

#[derive(Debug)]
struct Layer<B: Backend> {
    attention: Attention<B>,
    mlp: Mlp<B>,
}

impl<B: Backend> Encoder<B> {
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &TextConfig,
    ) -> Result<Self> {
        let (dim, hidden) = (config.d_model, config.encoder_ffn_dim);
        let layers = (0..config.encoder_layers).map(|index| {
            let weights = weights.pp("layers").pp(index);
            let norm = layer_norm(loader, &weights.pp("final_layer_norm"), dim)?;
            Ok(Layer {
                attention: self_attention(loader, &weights, dim, config.encoder_attention_heads)?,
                mlp: mlp(loader, &weights, norm, NormAt::Output, (dim, hidden))?,
            })
        });
        Ok(Self {
            positions: PositionEmbedding::load(loader, weights, config)?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// `x: (batch, source, d_model)`, with positions that run over visual tokens and prompt
    /// together; of sequence `i`, the first `lengths[i]` tokens are real and the rest is padding,
    /// which is masked.
    pub(crate) fn forward(
        &self,
        backend: &B,
        x: B::Tensor,
        lengths: &[usize],
        observer: &mut Observer<'_>,
    ) -> CandleResult<B::Tensor> {
        let mut x = self.positions.add_to(backend, x, 0)?;
        observer.observe(backend, format_args!("encoder.embed"), &x)?;
        for (index, layer) in self.layers.iter().enumerate() {
            x = backend.self_attention(x, &layer.attention, lengths)?;
            x = backend.mlp(x, &layer.mlp)?;
            observer.observe(backend, format_args!("encoder.layer.{index}"), &x)?;
        }
        Ok(x)
    }
}
