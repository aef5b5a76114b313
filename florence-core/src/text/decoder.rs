//! BART's decoder, a token or a prefix at a time.

use candle_core::{Device, Result as CandleResult, Tensor};

use super::MASKED;
use super::attention::Attention;
use super::cache::{Cache, CrossCache};
use super::embedding::{PositionEmbedding, TokenEmbedding};
use super::feed_forward::FeedForward;
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::layers::LayerNorm;
use crate::probe::Probe;

#[derive(Debug)]
pub(crate) struct Decoder {
    positions: PositionEmbedding,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    cross: Attention,
    cross_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl Decoder {
    pub(crate) fn load(weights: &Weights, config: &TextConfig) -> Result<Self> {
        let (dim, heads) = (config.d_model, config.decoder_attention_heads);
        let layers = (0..config.decoder_layers)
            .map(|index| {
                let weights = weights.pp("layers").pp(index);
                Ok(Layer {
                    attention: Attention::load(&weights.pp("self_attn"), dim, heads)?,
                    attention_norm: LayerNorm::load(&weights.pp("self_attn_layer_norm"), dim)?,
                    cross: Attention::load(&weights.pp("encoder_attn"), dim, heads)?,
                    cross_norm: LayerNorm::load(&weights.pp("encoder_attn_layer_norm"), dim)?,
                    feed_forward: FeedForward::load(&weights, dim, config.decoder_ffn_dim)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            positions: PositionEmbedding::load(weights, config.max_position_embeddings, dim)?,
            layers,
        })
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::new(self.layers.len())
    }

    /// Projects the encoder's output `(batch, source, d_model)` once for all
    /// steps of a question.
    pub(crate) fn cross_cache(
        &self,
        encoded: &Tensor,
        mask: Option<Tensor>,
    ) -> CandleResult<CrossCache> {
        let layers = self
            .layers
            .iter()
            .map(|layer| layer.cross.keys_values(encoded))
            .collect::<CandleResult<_>>()?;
        Ok(CrossCache { layers, mask })
    }

    /// The next `tokens` of every row, as hidden states `(rows, len, d_model)`.
    ///
    /// `tokens` holds `rows` runs of equal length `len`, one after the other.
    /// Rows are the beams of the first image, then those of the second, and so
    /// on: `rows` is a multiple of the batch of `cross`.
    pub(crate) fn forward(
        &self,
        embedding: &TokenEmbedding,
        tokens: &[u32],
        rows: usize,
        cache: &mut Cache,
        cross: &CrossCache,
        probe: &mut Probe<'_>,
    ) -> CandleResult<Tensor> {
        let len = tokens.len() / rows;
        let embedded = embedding.forward(tokens)?;
        let dim = embedded.dim(2)?;
        let mut x = self
            .positions
            .forward(&embedded.reshape((rows, len, dim))?, cache.steps())?;
        probe(format_args!("decoder.embed"), &x);
        let causal = causal_mask(len, cache.steps(), embedding.device())?;
        for (index, (layer, (cross_keys, cross_values))) in
            self.layers.iter().zip(&cross.layers).enumerate()
        {
            let (keys, values) = layer.attention.keys_values(&x)?;
            let (keys, values) = cache.append(index, keys, values)?;
            let attended = layer
                .attention
                .forward(&x, &keys, &values, causal.as_ref())?;
            x = layer.attention_norm.forward(&(x + attended)?)?;

            // The beams of an image share its keys: they stand side by side as queries.
            let batch = cross_keys.dim(0)?;
            let queries = x.reshape((batch, rows / batch * len, dim))?;
            let attended =
                layer
                    .cross
                    .forward(&queries, cross_keys, cross_values, cross.mask.as_ref())?;
            x = layer
                .cross_norm
                .forward(&(x + attended.reshape((rows, len, dim))?)?)?;

            x = layer.feed_forward.forward(&x)?;
            probe(format_args!("decoder.layer.{index}"), &x);
        }
        cache.advance(len);
        Ok(x)
    }
}

/// `(1, 1, len, past + len)`; `None` for a single token, which sees all.
fn causal_mask(len: usize, past: usize, device: &Device) -> CandleResult<Option<Tensor>> {
    if len == 1 {
        return Ok(None);
    }
    let values = (0..len)
        .flat_map(|query| {
            (0..past + len).map(move |key| if key <= past + query { 0.0 } else { MASKED })
        })
        .collect::<Vec<f32>>();
    Tensor::from_vec(values, (1, 1, len, past + len), device).map(Some)
}
