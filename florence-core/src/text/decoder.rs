//! BART's decoder, a token or a prefix at a time.

use candle_core::{Device, Result as CandleResult, Tensor};

use super::cache::{Cache, CrossCache};
use super::embedding::{PositionEmbedding, TokenEmbedding};
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::layers::{affine, mlp, norm, stacked};
use crate::ops::{self, Activation, Affine, Isa, Mlp, Norm, NormAt, Rows, Source};
use crate::probe::Probe;

#[derive(Debug)]
pub(crate) struct Decoder {
    positions: PositionEmbedding,
    layers: Vec<Layer>,
    heads: usize,
    dim: usize,
}

#[derive(Debug)]
struct Layer {
    qkv: Affine,
    out: Affine,
    norm: Norm,
    cross: Cross,
    mlp: Mlp,
}

/// Attention to the encoder's output.
#[derive(Debug)]
struct Cross {
    query: Affine,
    keys_values: Affine,
    out: Affine,
    norm: Norm,
}

impl Decoder {
    pub(crate) fn load(weights: &Weights, config: &TextConfig) -> Result<Self> {
        let (dim, hidden) = (config.d_model, config.decoder_ffn_dim);
        let layers = (0..config.decoder_layers)
            .map(|index| {
                let weights = weights.pp("layers").pp(index);
                let (own, cross) = (weights.pp("self_attn"), weights.pp("encoder_attn"));
                let final_norm = norm(&weights.pp("final_layer_norm"), dim)?;
                Ok(Layer {
                    qkv: stacked(&own, &["q_proj", "k_proj", "v_proj"], dim, dim)?,
                    out: affine(&own.pp("out_proj"), dim, dim)?,
                    norm: norm(&weights.pp("self_attn_layer_norm"), dim)?,
                    cross: Cross {
                        query: affine(&cross.pp("q_proj"), dim, dim)?,
                        keys_values: stacked(&cross, &["k_proj", "v_proj"], dim, dim)?,
                        out: affine(&cross.pp("out_proj"), dim, dim)?,
                        norm: norm(&weights.pp("encoder_attn_layer_norm"), dim)?,
                    },
                    mlp: mlp(&weights, final_norm, NormAt::Output, hidden)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            positions: PositionEmbedding::load(weights, config.max_position_embeddings, dim)?,
            layers,
            heads: config.decoder_attention_heads,
            dim,
        })
    }

    /// An empty memory for `rows` rows.
    pub(crate) fn cache(&self, rows: usize) -> Cache {
        Cache::new(self.layers.len(), rows, self.heads, self.dim)
    }

    /// Projects the encoder's output `(batch, source, d_model)` once for all
    /// steps of a question; of image `i`, the first `lengths[i]` rows are real.
    pub(crate) fn cross_cache(&self, encoded: &[f32], lengths: &[usize]) -> CrossCache {
        let dim = self.dim;
        let rows = encoded.len() / dim;
        let source = rows / lengths.len();
        let mut projected = vec![0.0; 2 * encoded.len()];
        let layers = self.layers.iter().map(|layer| {
            let encoded = Rows::dense(encoded, rows, dim);
            layer.cross.keys_values.forward_into(
                Isa::best(),
                encoded,
                Activation::None,
                &mut projected,
            );
            let images = projected.chunks_exact(source * 2 * dim).zip(lengths);
            images
                .map(|(image, &len)| {
                    Source::pack(Rows::dense(image, source, 2 * dim), self.heads, len)
                })
                .collect()
        });
        CrossCache {
            layers: layers.collect(),
        }
    }

    /// The next `tokens` of every row, as hidden states `(rows, len, d_model)`.
    ///
    /// `tokens` holds `rows` runs of equal length `len`, one after the other.
    /// Rows are the beams of the first image, then those of the second, and so
    /// on: `rows` is a multiple of the images in `cross`.
    pub(crate) fn forward(
        &self,
        embedding: &TokenEmbedding,
        tokens: &[u32],
        rows: usize,
        cache: &mut Cache,
        cross: &CrossCache,
        probe: &mut Probe<'_>,
    ) -> CandleResult<Vec<f32>> {
        let (isa, dim, len) = (Isa::best(), self.dim, tokens.len() / rows);
        let shape = (rows, len, dim);
        let mut x = embedding.decoder_rows(tokens);
        self.positions.add_to(&mut x, len, cache.steps());
        probe(
            format_args!("decoder.embed"),
            &Tensor::from_slice(&x, shape, &Device::Cpu)?,
        );
        let all = tokens.len();
        let mut qkv = vec![0.0; 3 * x.len()];
        let mut query = vec![0.0; x.len()];
        let mut mixed = vec![0.0; x.len()];
        for (index, (layer, sources)) in self.layers.iter().zip(&cross.layers).enumerate() {
            let input = Rows::dense(&x, all, dim);
            layer
                .qkv
                .forward_into(isa, input, Activation::None, &mut qkv);
            cache.layers[index].attend(isa, &qkv, rows, &mut mixed);
            let attended = Rows::dense(&mixed, all, dim);
            layer.out.add_into(isa, attended, &mut x, Some(&layer.norm));

            let Cross {
                query: to_query,
                out,
                norm,
                ..
            } = &layer.cross;
            let input = Rows::dense(&x, all, dim);
            to_query.forward_into(isa, input, Activation::None, &mut query);
            ops::cross_attention(isa, &query, dim, sources, &mut mixed);
            out.add_into(isa, Rows::dense(&mixed, all, dim), &mut x, Some(norm));

            layer.mlp.forward_in_place(isa, &mut x);
            probe(
                format_args!("decoder.layer.{index}"),
                &Tensor::from_slice(&x, shape, &Device::Cpu)?,
            );
        }
        cache.advance(len);
        Ok(x)
    }
}
