//! The feed-forward half of a transformer block as one fused operation.
//!
//! A task takes some rows through normalization, first layer, GELU, second layer and residual; the
//! intermediate, four times as wide as the rows, stays in its second-level cache and is never in
//! memory as a whole.

use rayon::prelude::*;

use super::gemm::{PANEL, Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Activation, Isa, Kernel, Simd};
use super::threads::chunk_rows;
use super::{Cpu, layer_norm};
use crate::backend::{Dims, Mlp, NormAt};

/// Panels of the intermediate that a task computes before it uses them.
const HIDDEN: usize = 8;

impl Mlp<Cpu> {
    /// All rows of `x`, on all threads.
    pub(crate) fn forward_in_place(&self, isa: Isa, x: &mut [f32]) {
        let dim = self.norm.dim();
        match chunk_rows(isa, x.len() / dim) {
            Some(chunk) => x
                .par_chunks_mut(chunk * dim)
                .for_each(|x| isa.run(Chunk { mlp: self, x })),
            None => self.few_rows_in_place(isa, x),
        }
    }

    /// Few rows, as in a step of a decoder: the threads share the weights, each
    /// of which is read once.
    fn few_rows_in_place(&self, isa: Isa, x: &mut [f32]) {
        let dim = self.norm.dim();
        let (rows, width) = (x.len() / dim, self.fc1.outputs());
        let (norm, normed) = match self.norm_at {
            NormAt::Input => {
                let mut normed = x.to_vec();
                layer_norm::rows_in_place(isa, &self.norm, &mut normed);
                (None, Some(normed))
            }
            NormAt::Output => (Some(&self.norm), None),
        };
        let mut hidden = vec![0.0; rows * width];
        let input = Rows::dense(normed.as_deref().unwrap_or(x), rows, dim);
        self.fc1
            .forward_into(isa, input, Activation::Gelu, &mut hidden);
        let hidden = Rows::dense(&hidden, rows, width);
        self.fc2.add_into(isa, hidden, x, norm);
    }
}

struct Chunk<'a> {
    mlp: &'a Mlp<Cpu>,
    x: &'a mut [f32],
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { mlp, x } = self;
        let dim = mlp.norm.dim();
        let rows = x.len() / dim;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let normed = scratch.normed.resize(x.len());
                for (normed, x) in normed.chunks_exact_mut(dim).zip(x.chunks_exact_mut(dim)) {
                    match mlp.norm_at {
                        NormAt::Input => mlp.norm.row(simd, x, normed),
                        NormAt::Output => normed.copy_from_slice(x),
                    }
                    for (x, bias) in x.iter_mut().zip(mlp.fc2.bias()) {
                        *x += bias;
                    }
                }
                let normed = Rows::dense(normed, rows, dim);
                let normed = mlp
                    .fc1
                    .weight()
                    .pack_input(simd, normed, &mut scratch.input);
                let mut out = RowsMut::dense(x, rows, dim);
                let all = mlp.fc1.weight().panels();
                for start in (0..all).step_by(HIDDEN) {
                    let panels = start..all.min(start + HIDDEN);
                    let columns = start * PANEL..mlp.fc1.outputs().min(panels.end * PANEL);
                    let bias = &mlp.fc1.bias()[columns.clone()];
                    let hidden = mlp.fc1.weight().gemm_bias_act_packed(
                        simd,
                        normed,
                        panels,
                        (bias, Activation::Gelu),
                        mlp.fc2.weight(),
                        (&mut scratch.hidden_input, &mut scratch.hidden),
                    );
                    let panels = 0..mlp.fc2.weight().panels();
                    mlp.fc2
                        .weight()
                        .accumulate(simd, hidden, columns, panels, &mut out);
                }
            },
        );
        if mlp.norm_at == NormAt::Output {
            for x in x.chunks_exact_mut(dim) {
                mlp.norm.row_in_place(simd, x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Result;

    use super::*;
    use crate::backend::Backend;
    use crate::backend::testing::{Operation, agree, kernels, linear, norm, random, tensor};

    struct FeedForward {
        dim: usize,
        hidden: usize,
        norm_at: NormAt,
    }

    impl Operation for FeedForward {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            let fc1 = linear(backend, self.dim, self.hidden, 3);
            let fc2 = linear(backend, self.hidden, self.dim, 4);
            let mlp = Mlp::new(norm(backend, self.dim, 1), self.norm_at, fc1, fc2)?;
            backend.mlp(x, &mlp)
        }
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (rows, dim, hidden) in [
            (1, 3, 5),
            (3, 32, 128),
            (40, 20, 70),
            (500, 33, 600),
            (90, 64, 1100),
        ] {
            for norm_at in [NormAt::Input, NormAt::Output] {
                let x = tensor(&random(rows * dim, 5), (1, rows, dim));
                let half = FeedForward {
                    dim,
                    hidden,
                    norm_at,
                };
                agree(&half, &x, 2e-5)?;
            }
        }
        Ok(())
    }

    #[test]
    fn layer_shape_mismatches_are_errors() {
        let cpu = kernels(Isa::best());
        let layer = |inputs, outputs| linear(&cpu, inputs, outputs, 1);
        let mlp = |dim, fc1, fc2| Mlp::<Cpu>::new(norm(&cpu, dim, 1), NormAt::Input, fc1, fc2);
        assert!(mlp(4, layer(4, 8), layer(8, 4)).is_ok());
        assert!(mlp(4, layer(4, 8), layer(7, 4)).is_err());
        assert!(mlp(3, layer(4, 8), layer(8, 4)).is_err());
    }
}
