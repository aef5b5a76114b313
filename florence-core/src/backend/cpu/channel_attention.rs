//! Self-attention between the channels of a group, over all tokens, as one fused operation:
//! `x + proj(attention(qkv(norm(x))))`.
//!
//! Two passes over the tokens: the first projects them and sums the products of queries and keys,
//! the second sums the values. Queries and keys are never in memory as a whole.

use rayon::prelude::*;

use super::Cpu;
use super::attention::{pack_keys, pack_values, softmax};
use super::gemm::{PANEL, Panels, Rows, RowsMut, accumulate};
use super::scratch::{Scratch, lend};
use super::simd::{Activation, Isa, Kernel, Simd};
use super::threads::{FEW, chunk_rows};
use crate::backend::Attention;

impl Attention<Cpu> {
    /// Channels of a head or group.
    fn width(&self) -> usize {
        self.norm.dim() / self.heads
    }
}

/// `x + proj(attention(qkv(norm(x))))` between the channels of each group, for
/// one map of tokens. The scale is `tokens^-0.5`: the dot products run over
/// tokens, not over the channels of a head.
pub(crate) fn channel_attention(isa: Isa, layer: &Attention<Cpu>, x: &mut [f32]) {
    let dim = layer.norm.dim();
    let tokens = x.len() / dim;
    let chunk = chunk_rows(isa, tokens).unwrap_or(FEW);
    lend(x.len(), |values| {
        let sums = x
            .par_chunks(chunk * dim)
            .zip(values.par_chunks_mut(chunk * dim))
            .map(|(x, values)| isa.run(Project { layer, x, values }))
            .collect::<Vec<_>>();
        // In the order of the chunks, so that the result does not depend on thread scheduling.
        let mut scores = vec![0.0; dim * layer.width()];
        for sums in sums {
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score += sum;
            }
        }
        let weights = isa.run(Weights {
            layer,
            scores,
            scale: (tokens as f32).powf(-0.5),
        });
        x.par_chunks_mut(chunk * dim)
            .zip(values.par_chunks(chunk * dim))
            .for_each(|(x, values)| {
                isa.run(Output {
                    layer,
                    weights: &weights,
                    values,
                    x,
                });
            });
    });
}

/// The first pass over some tokens: their values, and their contribution to the scores
/// `(groups, width, width)`.
struct Project<'a> {
    layer: &'a Attention<Cpu>,
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
                let input = layer
                    .qkv
                    .weight()
                    .pack_input(simd, input, &mut scratch.input);
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

/// Between the passes: the softmax weights of each group, one matrix per group with a column per
/// channel.
struct Weights<'a> {
    layer: &'a Attention<Cpu>,
    scores: Vec<f32>,
    scale: f32,
}

impl Kernel for Weights<'_> {
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
        let mut packed = Vec::with_capacity(self.layer.heads);
        for weights in self.scores.chunks_exact(width * width) {
            let mut group = Panels::default();
            pack_keys(simd, Rows::dense(weights, width, width), 1.0, &mut group);
            packed.push(group);
        }
        packed
    }
}

/// The second pass over some tokens.
struct Output<'a> {
    layer: &'a Attention<Cpu>,
    weights: &'a [Panels],
    values: &'a [f32],
    x: &'a mut [f32],
}

impl Kernel for Output<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            layer,
            weights,
            values,
            x,
        } = self;
        let (dim, width) = (layer.norm.dim(), layer.width());
        let rows = x.len() / dim;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let attended = scratch.attended.resize(x.len());
                attended.fill(0.0);
                let mut view = RowsMut::dense(attended, rows, dim);
                for (group, weights) in weights.iter().enumerate() {
                    let channels = group * width..(group + 1) * width;
                    accumulate(
                        simd,
                        Rows::new(&values[channels.start..], rows, width, dim),
                        weights,
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
                let input = Rows::dense(attended, rows, dim);
                let weight = layer.proj.weight();
                let input = weight.pack_input(simd, input, &mut scratch.input);
                let mut out = RowsMut::dense(x, rows, dim);
                weight.accumulate(simd, input, 0..dim, 0..weight.panels(), &mut out);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Result;

    use super::*;
    use crate::backend::Backend;
    use crate::backend::testing::{Operation, agree, kernels, linear, norm, random, tensor};

    struct Groups {
        dim: usize,
        groups: usize,
    }

    impl Operation for Groups {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            let qkv = linear(backend, self.dim, 3 * self.dim, 3);
            let proj = linear(backend, self.dim, self.dim, 4);
            let layer = Attention::new(norm(backend, self.dim, 1), qkv, proj, self.groups)?;
            backend.channel_attention(x, &layer)
        }
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
            let x = tensor(&random(batch * tokens * dim, 5), (batch, tokens, dim));
            agree(&Groups { dim, groups }, &x, 3e-5)?;
        }
        Ok(())
    }

    #[test]
    fn shape_mismatches_are_errors() -> Result<()> {
        let cpu = kernels(Isa::best());
        let layer = |outputs, groups| {
            let (qkv, proj) = (linear(&cpu, 4, outputs, 1), linear(&cpu, 4, 4, 2));
            Attention::<Cpu>::new(norm(&cpu, 4, 1), qkv, proj, groups)
        };
        assert!(layer(12, 3).is_err());
        assert!(layer(8, 2).is_err());
        let x = cpu.input(&tensor(&[0.0; 20], (1, 4, 5)))?;
        assert!(cpu.channel_attention(x, &layer(12, 2)?).is_err());
        Ok(())
    }
}
