//! Layer normalisation over the last dimension, in two passes.
//!
//! candle's own takes mean and variance from one scalar pass over `Σx` and
//! `Σx²`, which cancels when the mean is large and does not vectorise.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::contiguous_f32;
use super::simd::{Isa, Kernel, Simd};

/// Rows that one thread normalises before it looks for more work.
const ROWS_PER_TASK: usize = 64;

/// `(x - mean) / sqrt(var + eps) · weight + bias`.
#[derive(Debug)]
pub(crate) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl Norm {
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

    /// Normalises one row.
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

    /// As [`Norm::row`].
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
            let centre = simd.splat(mean);
            let squares = sum(
                simd,
                x,
                dim,
                #[inline(always)]
                |v| {
                    let off = simd.sub(v, centre);
                    simd.mul(off, off)
                },
                |v| (v - mean) * (v - mean),
            );
            let scale = 1.0 / (squares / count + self.eps).sqrt();
            let scales = simd.splat(scale);
            for at in (0..whole).step_by(S::LANES) {
                let off = simd.mul(simd.sub(simd.load(x.add(at)), centre), scales);
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

/// Normalises the last dimension of `x: (…, dim)`.
pub(crate) fn layer_norm(x: &Tensor, norm: &Norm) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Op { norm })
}

struct Op<'a> {
    norm: &'a Norm,
}

impl CustomOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-layer-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dim = self.norm.dim();
        if layout.dims().last() != Some(&dim) {
            bail!("layer norm: x {:?} does not end in {dim}", layout.dims());
        }
        let x = contiguous_f32(self.name(), x, layout)?;
        let mut out = x.to_vec();
        rows_in_place(Isa::best(), self.norm, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// Normalises all rows on all threads.
pub(crate) fn rows_in_place(isa: Isa, norm: &Norm, x: &mut [f32]) {
    x.par_chunks_mut(norm.dim() * ROWS_PER_TASK)
        .for_each(|rows| isa.run(Rows { norm, rows }));
}

struct Rows<'a> {
    norm: &'a Norm,
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
    use candle_core::D;

    use super::*;
    use crate::ops::testing::{close, random, tensor};

    /// The definition, in tensor operations.
    pub(crate) fn slow(x: &Tensor, norm: &Norm) -> Result<Tensor> {
        let mean = x.mean_keepdim(D::Minus1)?;
        let centred = x.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        centred
            .broadcast_div(&(variance + f64::from(norm.eps))?.sqrt()?)?
            .broadcast_mul(&tensor(&norm.weight, norm.dim()))?
            .broadcast_add(&tensor(&norm.bias, norm.dim()))
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (rows, dim) in [(1, 1), (3, 5), (17, 16), (133, 61), (5, 1024)] {
            let x = random(rows * dim, 1)
                .iter()
                .map(|v| v + 50.0)
                .collect::<Vec<_>>();
            let norm = Norm::new(random(dim, 2), random(dim, 3), 1e-5)?;
            let slow = slow(&tensor(&x, (rows, dim)), &norm)?
                .flatten_all()?
                .to_vec1::<f32>()?;
            for isa in Isa::all() {
                let mut out = x.clone();
                rows_in_place(isa, &norm, &mut out);
                close(&out, &slow, 1e-4);
            }
            let op = layer_norm(&tensor(&x, (1, rows, dim)), &norm)?;
            close(&op.flatten_all()?.to_vec1::<f32>()?, &slow, 1e-4);
        }
        Ok(())
    }

    #[test]
    fn a_wrong_last_dimension_is_an_error() -> Result<()> {
        let norm = Norm::new(vec![1.0; 3], vec![0.0; 3], 1e-5)?;
        assert!(layer_norm(&tensor(&[0.0; 8], (2, 4)), &norm).is_err());
        assert!(Norm::new(vec![1.0; 3], vec![0.0; 2], 1e-5).is_err());
        Ok(())
    }
}
