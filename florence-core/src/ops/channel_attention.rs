//! Self-attention between the channels of a group, over all tokens, as one
//! operation: `x + proj(attention(qkv(norm(x))))`.
//!
//! Two passes over the tokens: the first projects them and sums the products
//! of queries and keys, the second mixes the values. Queries and keys never
//! exist as a whole.

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::affine::Affine;
use super::attention::{pack_keys, pack_values, softmax};
use super::contiguous_f32_mut;
use super::layer_norm::Norm;
use super::math::Activation;
use super::matrix::{Rows, RowsMut};
use super::panels::{PANEL, Panels, accumulate};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};
use super::split::{TILE, chunk_rows};

/// The attention half of a channel block.
#[derive(Debug)]
pub(crate) struct ChannelAttention {
    norm: Norm,
    qkv: Affine,
    proj: Affine,
    groups: usize,
}

impl ChannelAttention {
    /// # Errors
    ///
    /// When the layers do not fit together, or groups do not divide the rows.
    pub(crate) fn new(norm: Norm, qkv: Affine, proj: Affine, groups: usize) -> Result<Self> {
        super::check_attention(&norm, &qkv, &proj, groups)?;
        Ok(Self {
            norm,
            qkv,
            proj,
            groups,
        })
    }

    /// Channels of a group.
    fn width(&self) -> usize {
        self.norm.dim() / self.groups
    }

    /// One map of tokens, in place.
    fn forward_in_place(&self, isa: Isa, x: &mut [f32]) {
        let dim = self.norm.dim();
        let tokens = x.len() / dim;
        let chunk = chunk_rows(tokens).unwrap_or(TILE);
        let mut values = vec![0.0; x.len()];
        let sums = x
            .par_chunks(chunk * dim)
            .zip(values.par_chunks_mut(chunk * dim))
            .map(|(x, values)| {
                isa.run(Project {
                    layer: self,
                    x,
                    values,
                })
            })
            .collect::<Vec<_>>();
        // In the chunks' order, so that the result does not depend on the threads' luck.
        let mut scores = vec![0.0; dim * self.width()];
        for sums in sums {
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score += sum;
            }
        }
        let mixes = isa.run(Mixes {
            layer: self,
            scores,
            scale: (tokens as f32).powf(-0.5),
        });
        x.par_chunks_mut(chunk * dim)
            .zip(values.par_chunks(chunk * dim))
            .for_each(|(x, values)| {
                isa.run(Mix {
                    layer: self,
                    mixes: &mixes,
                    values,
                    x,
                });
            });
    }
}

/// The first pass over some tokens: their values, and what they add to the
/// scores `(groups, width, width)`.
struct Project<'a> {
    layer: &'a ChannelAttention,
    x: &'a [f32],
    values: &'a mut [f32],
}

impl Kernel for Project<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { layer, x, values } = self;
        let (dim, width) = (layer.norm.dim(), layer.width());
        let rows = x.len() / dim;
        let mut sums = vec![0.0; dim * width];
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let normed = scratch.normed.resize(x.len());
                for (normed, x) in normed.chunks_exact_mut(dim).zip(x.chunks_exact(dim)) {
                    layer.norm.row(simd, x, normed);
                }
                let input = Rows::dense(normed, rows, dim);
                let input = layer.qkv.weight().take(simd, input, &mut scratch.input);
                let qkv = scratch.hidden.resize(rows * 3 * dim);
                let panels = 0..layer.qkv.weight().panels();
                let mut view = RowsMut::dense(qkv, rows, 3 * dim);
                layer
                    .qkv
                    .apply(simd, input, panels, Activation::None, &mut view);
                for (values, qkv) in values.chunks_exact_mut(dim).zip(qkv.chunks_exact(3 * dim)) {
                    values.copy_from_slice(&qkv[2 * dim..]);
                }

                let (mut keys, values) = scratch.head.take();
                for (group, sums) in sums.chunks_exact_mut(width * width).enumerate() {
                    let part =
                        |offset| Rows::new(&qkv[offset + group * width..], rows, width, 3 * dim);
                    let queries = scratch.head.queries.resize(width * rows);
                    for row in 0..rows {
                        for (channel, value) in part(0).row(row).iter().enumerate() {
                            queries[channel * rows + row] = *value;
                        }
                    }
                    pack_values(part(dim), &mut keys);
                    accumulate(
                        simd,
                        Rows::dense(queries, width, rows),
                        &keys,
                        0..rows,
                        0..keys.count(),
                        &mut RowsMut::dense(sums, width, width),
                    );
                }
                scratch.head.give_back(keys, values);
            },
        );
        sums
    }
}

/// Between the passes: the shares of each group, one matrix a group whose
/// columns are what its channels take of each other.
struct Mixes<'a> {
    layer: &'a ChannelAttention,
    scores: Vec<f32>,
    scale: f32,
}

impl Kernel for Mixes<'_> {
    type Output = Vec<Panels>;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> Vec<Panels> {
        let width = self.layer.width();
        for scores in self.scores.chunks_exact_mut(width) {
            for score in &mut *scores {
                *score *= self.scale;
            }
            softmax(simd, scores);
        }
        let mut mixes = Vec::with_capacity(self.layer.groups);
        for shares in self.scores.chunks_exact(width * width) {
            let mut mix = Panels::default();
            pack_keys(Rows::dense(shares, width, width), 1.0, &mut mix);
            mixes.push(mix);
        }
        mixes
    }
}

/// The second pass over some tokens.
struct Mix<'a> {
    layer: &'a ChannelAttention,
    mixes: &'a [Panels],
    values: &'a [f32],
    x: &'a mut [f32],
}

impl Kernel for Mix<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            layer,
            mixes,
            values,
            x,
        } = self;
        let (dim, width) = (layer.norm.dim(), layer.width());
        let rows = x.len() / dim;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let mixed = scratch.mixed.resize(x.len());
                mixed.fill(0.0);
                let mut view = RowsMut::dense(mixed, rows, dim);
                for (group, mix) in mixes.iter().enumerate() {
                    let channels = group * width..(group + 1) * width;
                    accumulate(
                        simd,
                        Rows::new(&values[channels.start..], rows, width, dim),
                        mix,
                        0..width,
                        0..width.div_ceil(PANEL),
                        &mut view.columns(channels),
                    );
                }
                for x in x.chunks_exact_mut(dim) {
                    for (x, bias) in x.iter_mut().zip(layer.proj.bias()) {
                        *x += bias;
                    }
                }
                let input = Rows::dense(mixed, rows, dim);
                let weight = layer.proj.weight();
                let input = weight.take(simd, input, &mut scratch.input);
                let mut out = RowsMut::dense(x, rows, dim);
                weight.accumulate(simd, input, 0..dim, 0..weight.panels(), &mut out);
            },
        );
    }
}

/// `x += proj(attention(qkv(norm(x))))` for `x: (batch, tokens, dim)`. The scale
/// is `tokens^-0.5`: the dot products run over tokens, not over the channels of
/// a head.
pub(crate) fn channel_attention(x: &Tensor, layer: &ChannelAttention) -> Result<()> {
    x.inplace_op1(&Op { layer })
}

struct Op<'a> {
    layer: &'a ChannelAttention,
}

impl InplaceOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-channel-attention"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (_, tokens, dim) = layout.shape().dims3()?;
        if dim != self.layer.norm.dim() || tokens == 0 {
            bail!(
                "channel attention: x {:?} is not tokens of {}",
                layout.dims(),
                self.layer.norm.dim()
            );
        }
        let x = contiguous_f32_mut(self.name(), x, layout)?;
        for map in x.chunks_exact_mut(tokens * dim) {
            self.layer.forward_in_place(Isa::best(), map);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::D;
    use candle_nn::ops::softmax_last_dim;

    use super::*;
    use crate::ops::layer_norm::layer_norm;
    use crate::ops::testing::{affine, close, random, slow_affine, tensor};

    fn slow(x: &Tensor, layer: &ChannelAttention) -> Result<Tensor> {
        let (batch, tokens, dim) = x.dims3()?;
        let qkv = slow_affine(&layer_norm(x, &layer.norm)?, &layer.qkv)?
            .reshape((batch, tokens, 3, layer.groups, layer.width()))?
            .permute((2, 0, 3, 4, 1))?;
        let query = (qkv.get(0)?.contiguous()? * (tokens as f64).powf(-0.5))?;
        let (key, value) = (qkv.get(1)?.contiguous()?, qkv.get(2)?.contiguous()?);
        let scores = query.matmul(&key.transpose(D::Minus2, D::Minus1)?.contiguous()?)?;
        let mixed = softmax_last_dim(&scores)?
            .matmul(&value)?
            .permute((0, 3, 1, 2))?
            .reshape((batch, tokens, dim))?;
        x + slow_affine(&mixed, &layer.proj)?
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (batch, tokens, dim, groups) in [
            (1, 1, 2, 1),
            (2, 7, 12, 3),
            (1, 600, 64, 2),
            (3, 35, 80, 2),
            (1, 100, 96, 3),
        ] {
            let norm = Norm::new(random(dim, 1), random(dim, 2), 1e-5)?;
            let layer =
                ChannelAttention::new(norm, affine(dim, 3 * dim, 3), affine(dim, dim, 4), groups)?;
            let x = random(batch * tokens * dim, 5);
            let input = tensor(&x, (batch, tokens, dim));
            let slow = slow(&input, &layer)?.flatten_all()?.to_vec1::<f32>()?;
            for isa in Isa::all() {
                let mut out = x.clone();
                for map in out.chunks_exact_mut(tokens * dim) {
                    layer.forward_in_place(isa, map);
                }
                close(&out, &slow, 3e-5);
            }
            channel_attention(&input, &layer)?;
            close(&input.flatten_all()?.to_vec1::<f32>()?, &slow, 3e-5);
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_an_error() -> Result<()> {
        let norm = || Norm::new(vec![1.0; 4], vec![0.0; 4], 1e-5);
        assert!(ChannelAttention::new(norm()?, affine(4, 12, 1), affine(4, 4, 2), 3).is_err());
        assert!(ChannelAttention::new(norm()?, affine(4, 8, 1), affine(4, 4, 2), 2).is_err());
        let layer = ChannelAttention::new(norm()?, affine(4, 12, 1), affine(4, 4, 2), 2)?;
        assert!(channel_attention(&tensor(&[0.0; 20], (1, 4, 5)), &layer).is_err());
        Ok(())
    }
}
