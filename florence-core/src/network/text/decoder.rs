//! BART's decoder, one token or a prefix at a time.

use candle_core::Result as CandleResult;

use super::embedding::PositionEmbedding;
use crate::backend::{Attention, Backend, CrossAttention, KvCache, Mlp, NormAt};
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::network::layers::{layer_norm, linear, mlp, self_attention, stacked};
use crate::network::loader::Loader;
use crate::probe::Observer;

#[derive(Debug)]
pub(crate) struct Decoder<B: Backend> {
    positions: PositionEmbedding<B>,
    layers: Vec<Layer<B>>,
    heads: usize,
    dim: usize,
}

#[derive(Debug)]
struct Layer<B: Backend> {
    attention: Attention<B>,
    cross: CrossAttention<B>,
    mlp: Mlp<B>,
}

impl<B: Backend> Decoder<B> {
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &TextConfig,
    ) -> Result<Self> {
        let (dim, hidden) = (config.d_model, config.decoder_ffn_dim);
        let heads = config.decoder_attention_heads;
        let layers = (0..config.decoder_layers).map(|index| {
            let weights = weights.pp("layers").pp(index);
            let cross = weights.pp("encoder_attn");
            let norm = |name| layer_norm(loader, &weights.pp(name), dim);
            let keys_values = ["k_proj", "v_proj"].map(|name| cross.pp(name));
            Ok(Layer {
                attention: self_attention(loader, &weights, dim, heads)?,
                cross: CrossAttention {
                    norm: norm("encoder_attn_layer_norm")?,
                    query: linear(loader, &cross.pp("q_proj"), dim, dim)?,
                    keys_values: stacked(loader, &keys_values, dim, dim)?,
                    proj: linear(loader, &cross.pp("out_proj"), dim, dim)?,
                    heads,
                },
                mlp: mlp(
                    loader,
                    &weights,
                    norm("final_layer_norm")?,
                    NormAt::Output,
                    (dim, hidden),
                )?,
            })
        });
        Ok(Self {
            positions: PositionEmbedding::load(loader, weights, config)?,
            layers: layers.collect::<Result<_>>()?,
            heads,
            dim,
        })
    }

    /// An empty KV cache for `rows` sequences.
    pub(crate) fn kv_cache(&self, backend: &B, rows: usize) -> B::KvCache {
        backend.kv_cache(self.layers.len(), rows, self.heads, self.dim)
    }

    /// Projects the encoder's output `(batch, source, d_model)` once for all
    /// steps of a question; of image `i`, the first `lengths[i]` tokens are real.
    pub(crate) fn encoder_kv(
        &self,
        backend: &B,
        encoded: &B::Tensor,
        lengths: &[usize],
    ) -> CandleResult<B::EncoderKv> {
        let layers = self.layers.iter().map(|layer| &layer.cross);
        backend.encoder_kv(encoded, layers, lengths)
    }

    /// `x: (rows, len, d_model)`, the embedded tokens that follow those in
    /// `cache`, to hidden states.
    pub(crate) fn forward(
        &self,
        backend: &B,
        x: B::Tensor,
        cache: &mut B::KvCache,
        kv: &B::EncoderKv,
        observer: &mut Observer<'_>,
    ) -> CandleResult<B::Tensor> {
        let mut x = self.positions.add_to(backend, x, cache.steps())?;
        observer.observe(backend, format_args!("decoder.embed"), &x)?;
        for (index, layer) in self.layers.iter().enumerate() {
            x = backend.cached_attention(x, &layer.attention, cache, index)?;
            x = backend.cross_attention(x, &layer.cross, kv, index)?;
            x = backend.mlp(x, &layer.mlp)?;
            observer.observe(backend, format_args!("decoder.layer.{index}"), &x)?;
        }
        Ok(x)
    }
}
