//! BART's encoder over `[visual tokens ; prompt]`.

use candle_core::{Result as CandleResult, Tensor};

use super::attention::Attention;
use super::embedding::PositionEmbedding;
use super::feed_forward::FeedForward;
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::layers::LayerNorm;
use crate::probe::Probe;

#[derive(Debug)]
pub(crate) struct Encoder {
    positions: PositionEmbedding,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl Encoder {
    pub(crate) fn load(weights: &Weights, config: &TextConfig) -> Result<Self> {
        let dim = config.d_model;
        let layers = (0..config.encoder_layers)
            .map(|index| {
                let weights = weights.pp("layers").pp(index);
                Ok(Layer {
                    attention: Attention::load(
                        &weights.pp("self_attn"),
                        dim,
                        config.encoder_attention_heads,
                    )?,
                    attention_norm: LayerNorm::load(&weights.pp("self_attn_layer_norm"), dim)?,
                    feed_forward: FeedForward::load(&weights, dim, config.encoder_ffn_dim)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            positions: PositionEmbedding::load(weights, config.max_position_embeddings, dim)?,
            layers,
        })
    }

    /// `embedded: (batch, source, d_model)`, with positions that run over
    /// visual tokens and prompt together.
    pub(crate) fn forward(
        &self,
        embedded: &Tensor,
        mask: Option<&Tensor>,
        probe: &mut Probe<'_>,
    ) -> CandleResult<Tensor> {
        let mut x = self.positions.forward(embedded, 0)?;
        probe(format_args!("encoder.embed"), &x);
        for (index, layer) in self.layers.iter().enumerate() {
            let (keys, values) = layer.attention.keys_values(&x)?;
            let attended = layer.attention.forward(&x, &keys, &values, mask)?;
            x = layer
                .feed_forward
                .forward(&layer.attention_norm.forward(&(x + attended)?)?)?;
            probe(format_args!("encoder.layer.{index}"), &x);
        }
        Ok(x)
    }
}
