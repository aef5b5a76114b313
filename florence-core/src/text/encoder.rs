//! BART's encoder over `[visual tokens ; prompt]`.

use candle_core::{Device, Result as CandleResult, Tensor};

use super::embedding::PositionEmbedding;
use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::layers::{affine, mlp, norm, stacked};
use crate::ops::{self, Activation, Affine, Isa, Mlp, Norm, NormAt, Rows};
use crate::probe::Probe;

#[derive(Debug)]
pub(crate) struct Encoder {
    positions: PositionEmbedding,
    layers: Vec<Layer>,
    heads: usize,
}

#[derive(Debug)]
struct Layer {
    qkv: Affine,
    out: Affine,
    norm: Norm,
    mlp: Mlp,
}

impl Encoder {
    pub(crate) fn load(weights: &Weights, config: &TextConfig) -> Result<Self> {
        let (dim, hidden) = (config.d_model, config.encoder_ffn_dim);
        let layers = (0..config.encoder_layers)
            .map(|index| {
                let weights = weights.pp("layers").pp(index);
                let attention = weights.pp("self_attn");
                let final_norm = norm(&weights.pp("final_layer_norm"), dim)?;
                Ok(Layer {
                    qkv: stacked(&attention, &["q_proj", "k_proj", "v_proj"], dim, dim)?,
                    out: affine(&attention.pp("out_proj"), dim, dim)?,
                    norm: norm(&weights.pp("self_attn_layer_norm"), dim)?,
                    mlp: mlp(&weights, final_norm, NormAt::Output, hidden)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            positions: PositionEmbedding::load(weights, config.max_position_embeddings, dim)?,
            layers,
            heads: config.encoder_attention_heads,
        })
    }

    /// `x: (batch, source, d_model)`, with positions that run over visual
    /// tokens and prompt together; of sequence `i`, the first `lengths[i]` rows
    /// are real and the rest is padding, which nobody attends to.
    pub(crate) fn forward(
        &self,
        mut x: Vec<f32>,
        lengths: &[usize],
        probe: &mut Probe<'_>,
    ) -> CandleResult<Vec<f32>> {
        let isa = Isa::best();
        let dim = self
            .layers
            .first()
            .map_or(x.len(), |layer| layer.norm.dim());
        let (batch, rows) = (lengths.len(), x.len() / dim);
        let shape = (batch, rows / batch, dim);
        self.positions.add_to(&mut x, rows / batch, 0);
        probe(
            format_args!("encoder.embed"),
            &Tensor::from_slice(&x, shape, &Device::Cpu)?,
        );
        let mut qkv = vec![0.0; 3 * x.len()];
        for (index, layer) in self.layers.iter().enumerate() {
            let input = Rows::dense(&x, rows, dim);
            layer
                .qkv
                .forward_into(isa, input, Activation::None, &mut qkv);
            let mixed = ops::self_attention(isa, &qkv, self.heads, dim, lengths);
            let mixed = Rows::dense(&mixed, rows, dim);
            layer.out.add_into(isa, mixed, &mut x, Some(&layer.norm));
            layer.mlp.forward_in_place(isa, &mut x);
            probe(
                format_args!("encoder.layer.{index}"),
                &Tensor::from_slice(&x, shape, &Device::Cpu)?,
            );
        }
        Ok(x)
    }
}
