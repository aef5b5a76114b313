//! The feed-forward half of a transformer block as one operation.
//!
//! A task takes some rows through normalisation, first layer, GELU, second
//! layer and residual; the intermediate, four times as wide as the rows, stays
//! in its second-level cache and never exists as a whole.

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::affine::Affine;
use super::contiguous_f32_mut;
use super::layer_norm::{self, Norm};
use super::math::Activation;
use super::matrix::{Rows, RowsMut};
use super::panels::PANEL;
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};
use super::split::chunk_rows;

/// Panels of the intermediate that a task computes before it uses them.
const HIDDEN: usize = 8;

/// Where the normalisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormAt {
    /// `x + fc2(gelu(fc1(norm(x))))`
    Input,
    /// `norm(x + fc2(gelu(fc1(x))))`
    Output,
}

/// The feed-forward half of a block.
#[derive(Debug)]
pub(crate) struct Mlp {
    norm: Norm,
    norm_at: NormAt,
    fc1: Affine,
    fc2: Affine,
}

impl Mlp {
    /// # Errors
    ///
    /// When the layers do not fit together.
    pub(crate) fn new(norm: Norm, norm_at: NormAt, fc1: Affine, fc2: Affine) -> Result<Self> {
        let dim = norm.dim();
        if fc1.inputs() != dim || fc2.outputs() != dim || fc1.outputs() != fc2.inputs() {
            bail!(
                "mlp: layers {}→{} and {}→{} for rows of {dim}",
                fc1.inputs(),
                fc1.outputs(),
                fc2.inputs(),
                fc2.outputs()
            );
        }
        Ok(Self {
            norm,
            norm_at,
            fc1,
            fc2,
        })
    }

    /// All rows of `x`, on all threads.
    pub(crate) fn forward_in_place(&self, isa: Isa, x: &mut [f32]) {
        let dim = self.norm.dim();
        match chunk_rows(x.len() / dim) {
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
    mlp: &'a Mlp,
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
                let normed = mlp.fc1.weight().take(simd, normed, &mut scratch.input);
                let mut out = RowsMut::dense(x, rows, dim);
                let all = mlp.fc1.weight().panels();
                for start in (0..all).step_by(HIDDEN) {
                    let panels = start..all.min(start + HIDDEN);
                    let columns = start * PANEL..mlp.fc1.outputs().min(panels.end * PANEL);
                    let bias = &mlp.fc1.bias()[columns.clone()];
                    let hidden = mlp.fc1.weight().set_input(
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

/// The block's result for `x: (…, dim)`, in place.
pub(crate) fn mlp(x: &Tensor, mlp: &Mlp) -> Result<()> {
    x.inplace_op1(&Op { mlp })
}

struct Op<'a> {
    mlp: &'a Mlp,
}

impl InplaceOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-mlp"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let dim = self.mlp.norm.dim();
        if layout.dims().last() != Some(&dim) {
            bail!("mlp: x {:?} does not end in {dim}", layout.dims());
        }
        let x = contiguous_f32_mut(self.name(), x, layout)?;
        self.mlp.forward_in_place(Isa::best(), x);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::layer_norm::layer_norm;
    use crate::ops::testing::{affine, close, random, slow_affine, tensor};

    fn slow(x: &Tensor, mlp: &Mlp) -> Result<Tensor> {
        let fed = |x: &Tensor| slow_affine(&slow_affine(x, &mlp.fc1)?.gelu_erf()?, &mlp.fc2);
        match mlp.norm_at {
            NormAt::Input => x + fed(&layer_norm(x, &mlp.norm)?)?,
            NormAt::Output => layer_norm(&(x + fed(x)?)?, &mlp.norm),
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
                let norm = Norm::new(random(dim, 1), random(dim, 2), 1e-5)?;
                let layers = Mlp::new(
                    norm,
                    norm_at,
                    affine(dim, hidden, 3),
                    affine(hidden, dim, 4),
                )?;
                let x = random(rows * dim, 5);
                let slow = slow(&tensor(&x, (rows, dim)), &layers)?;
                let slow = slow.flatten_all()?.to_vec1::<f32>()?;
                for isa in Isa::all() {
                    let mut out = x.clone();
                    layers.forward_in_place(isa, &mut out);
                    close(&out, &slow, 2e-5);
                }
                let op = tensor(&x, (1, rows, dim));
                mlp(&op, &layers)?;
                close(&op.flatten_all()?.to_vec1::<f32>()?, &slow, 2e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn layers_that_do_not_fit_are_an_error() -> Result<()> {
        let norm = |dim| Norm::new(vec![1.0; dim], vec![0.0; dim], 1e-5);
        assert!(Mlp::new(norm(4)?, NormAt::Input, affine(4, 8, 1), affine(7, 4, 2)).is_err());
        assert!(Mlp::new(norm(3)?, NormAt::Input, affine(4, 8, 1), affine(8, 4, 2)).is_err());
        Ok(())
    }
}
