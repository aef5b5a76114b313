//! Layer normalisation over the last dimension, in two passes.
//!
//! candle's own takes mean and variance from one scalar pass over `Σx` and
//! `Σx²`, which cancels when the mean is large and does not vectorise.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::contiguous_f32;

/// Independent partial sums, so that the compiler may keep them in one vector.
const LANES: usize = 16;
/// Rows that one thread normalises before it looks for more work.
const ROWS_PER_TASK: usize = 16;

/// `(x - mean) / sqrt(var + eps) * weight + bias` over the last dimension of
/// `x: (…, dim)`, with `weight: (dim)` and `bias: (dim)`.
pub(crate) fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    x.contiguous()?
        .apply_op3_no_bwd(weight, bias, &LayerNorm { eps })
}

struct LayerNorm {
    eps: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "florence-layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = contiguous_f32(self.name(), x, x_layout)?;
        let weight = contiguous_f32(self.name(), weight, weight_layout)?;
        let bias = contiguous_f32(self.name(), bias, bias_layout)?;
        let dim = *x_layout.dims().last().unwrap_or(&0);
        if dim == 0 || weight.len() != dim || bias.len() != dim {
            bail!(
                "layer_norm: weight ({}) and bias ({}) must have the last dimension of x {:?}",
                weight.len(),
                bias.len(),
                x_layout.dims()
            );
        }
        let mut out = vec![0f32; x.len()];
        let rows = dim * ROWS_PER_TASK;
        out.par_chunks_mut(rows)
            .zip(x.par_chunks(rows))
            .for_each(|(out, x)| {
                for (out, x) in out.chunks_exact_mut(dim).zip(x.chunks_exact(dim)) {
                    normalize_row(x, weight, bias, self.eps, out);
                }
            });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

fn normalize_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
    let n = x.len() as f32;
    let mean = lane_sum(x, |v| v) / n;
    let variance = lane_sum(x, |v| (v - mean) * (v - mean)) / n;
    let scale = 1.0 / (variance + eps).sqrt();
    for (((out, &x), &weight), &bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
        *out = (x - mean) * scale * weight + bias;
    }
}

fn lane_sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += f(v);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&v| f(v)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};

    use super::*;

    fn slow(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
        let mean = x.mean_keepdim(D::Minus1)?;
        let centred = x.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        centred
            .broadcast_div(&(variance + eps)?.sqrt()?)?
            .broadcast_mul(weight)?
            .broadcast_add(bias)
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (rows, dim) in [(1, 1), (3, 5), (17, 16), (33, 61), (5, 1024)] {
            let x = (Tensor::randn(0f32, 2., (rows, dim), &Device::Cpu)? + 50.)?;
            let weight = Tensor::randn(1f32, 0.3, dim, &Device::Cpu)?;
            let bias = Tensor::randn(0f32, 0.3, dim, &Device::Cpu)?;
            let ours = layer_norm(&x, &weight, &bias, 1e-5)?;
            let diff = (ours - slow(&x, &weight, &bias, 1e-5)?)?
                .abs()?
                .max_all()?
                .to_scalar::<f32>()?;
            assert!(diff < 1e-4, "({rows}, {dim}): {diff}");
        }
        Ok(())
    }

    #[test]
    fn a_wrong_weight_is_an_error() -> Result<()> {
        let x = Tensor::zeros((2, 4), candle_core::DType::F32, &Device::Cpu)?;
        let weight = Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu)?;
        assert!(layer_norm(&x, &weight, &weight, 1e-5).is_err());
        Ok(())
    }
}
