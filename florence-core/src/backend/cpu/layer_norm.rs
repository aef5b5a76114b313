//! Layer normalization over the last dimension, in two passes.
//!
//! candle's own takes mean and variance from one scalar pass over `Σx` and
//! `Σx²`, which cancels when the mean is large and does not vectorize.

use candle_core::{Result, bail};
use rayon::prelude::*;

use super::simd::{Isa, Kernel, Simd};
use crate::backend::Dims;

/// Rows normalized per task.
const ROWS_PER_TASK: usize = 64;

/// `(x - mean) / sqrt(var + eps) · weight + bias`.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl LayerNorm {
    /// # Errors
    ///
    /// When there are not as many weights as biases, or none.
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, eps: f32) -> Result<Self> {
        if weight.is_empty() || weight.len() != bias.len() {
            bail!(
                "layer norm: {} weights, {} biases",
                weight.len(),
                bias.len()
            );
        }
        Ok(Self { weight, bias, eps })
    }

    pub(crate) fn dim(&self) -> usize {
        self.weight.len()
    }

    /// Normalizes one row.
    ///
    /// # Panics
    ///
    /// When `x` or `out` does not have `dim` values.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(&self, simd: S, x: &[f32], out: &mut [f32]) {
        assert!(x.len() == self.dim() && out.len() == self.dim());
        // SAFETY: both are slices of `dim` values.
        unsafe { self.normalize(simd, x.as_ptr(), out.as_mut_ptr()) }
    }

    /// As [`LayerNorm::row`].
    #[inline(always)]
    pub(crate) fn row_in_place<S: Simd>(&self, simd: S, x: &mut [f32]) {
        assert!(x.len() == self.dim());
        // SAFETY: `x` is a slice of `dim` values.
        unsafe { self.normalize(simd, x.as_ptr(), x.as_mut_ptr()) }
    }

    /// # Safety
    ///
    /// `dim` values can be read at `x` and written at `out`; the two are the
    /// same or do not overlap.
    #[inline(always)]
    unsafe fn normalize<S: Simd>(&self, simd: S, x: *const f32, out: *mut f32) {
        let dim = self.dim();
        let count = dim as f32;
        let whole = dim / S::LANES * S::LANES;
        // SAFETY: all offsets are below `dim`, which is also the number of
        // weights and biases.
        unsafe {
            let mean = sum(
                simd,
                x,
                dim,
                #[inline(always)]
                |v| v,
                |v| v,
            ) / count;
            let center = simd.splat(mean);
            let squares = sum(
                simd,
                x,
                dim,
                #[inline(always)]
                |v| {
                    let off = simd.sub(v, center);
                    simd.mul(off, off)
                },
                |v| (v - mean) * (v - mean),
            );
            let scale = 1.0 / (squares / count + self.eps).sqrt();
            let scales = simd.splat(scale);
            for at in (0..whole).step_by(S::LANES) {
                let off = simd.mul(simd.sub(simd.load(x.add(at)), center), scales);
                let weight = simd.load(self.weight.as_ptr().add(at));
                let bias = simd.load(self.bias.as_ptr().add(at));
                simd.store(out.add(at), simd.mul_add(off, weight, bias));
            }
            for at in whole..dim {
                let off = (*x.add(at) - mean) * scale;
                *out.add(at) = off * self.weight[at] + self.bias[at];
            }
        }
    }
}

/// The sum over `f` of `len` values, as vectors and one by one.
///
/// # Safety
///
/// `len` values can be read at `x`.
#[inline(always)]
unsafe fn sum<S: Simd>(
    simd: S,
    x: *const f32,
    len: usize,
    f: impl Fn(S::F) -> S::F,
    one: impl Fn(f32) -> f32,
) -> f32 {
    let whole = len / S::LANES * S::LANES;
    let mut sums = simd.splat(0.0);
    let mut rest = 0.0;
    // SAFETY: all offsets are below `len`.
    unsafe {
        for at in (0..whole).step_by(S::LANES) {
            sums = simd.add(sums, f(simd.load(x.add(at))));
        }
        for at in whole..len {
            rest += one(*x.add(at));
        }
    }
    simd.sum(sums) + rest
}

impl Dims for LayerNorm {
    fn inputs(&self) -> usize {
        self.dim()
    }

    fn outputs(&self) -> usize {
        self.dim()
    }
}

/// Normalizes all rows on all threads.
pub(crate) fn rows_in_place(isa: Isa, norm: &LayerNorm, x: &mut [f32]) {
    x.par_chunks_mut(norm.dim() * ROWS_PER_TASK)
        .for_each(|rows| isa.run(Rows { norm, rows }));
}

struct Rows<'a> {
    norm: &'a LayerNorm,
    rows: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact_mut(self.norm.dim()) {
            self.norm.row_in_place(simd, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::backend::testing::{Operation, agree, norm, random, tensor};

    struct Normalize(usize);

    impl Operation for Normalize {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            backend.normalize(x, &norm(backend, self.0, 2))
        }
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (rows, dim) in [(1, 1), (3, 5), (17, 16), (133, 61), (5, 1024)] {
            let x = random(rows * dim, 1)
                .iter()
                .map(|v| v + 50.0)
                .collect::<Vec<_>>();
            agree(&Normalize(dim), &tensor(&x, (1, rows, dim)), 1e-4)?;
        }
        Ok(())
    }

    #[test]
    fn weight_shape_mismatches_are_errors() {
        assert!(LayerNorm::new(vec![1.0; 3], vec![0.0; 2], 1e-5).is_err());
        assert!(LayerNorm::new(Vec::new(), Vec::new(), 1e-5).is_err());
    }
}
