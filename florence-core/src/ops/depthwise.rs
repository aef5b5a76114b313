//! Depthwise 3×3 convolution with its bias and the residual, tokens-last.
//!
//! candle runs a grouped convolution as one convolution per channel, which made
//! the 48 depthwise convolutions of Florence-2-base about 65 times slower.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::contiguous_f32;

/// Channels whose sums are kept in registers at once.
const BLOCK: usize = 32;

/// `x + conv3x3(x) + bias` per channel, with zero padding of one pixel.
///
/// `x: (batch, height·width, channels)`, `weight: (9, channels)` with the taps
/// in row-major order, `bias: (channels)`; the result has the shape of `x`.
pub(crate) fn depthwise3x3_residual(
    x: &Tensor,
    (height, width): (usize, usize),
    weight: &Tensor,
    bias: &Tensor,
) -> Result<Tensor> {
    x.contiguous()?
        .apply_op3_no_bwd(weight, bias, &Depthwise { height, width })
}

struct Depthwise {
    height: usize,
    width: usize,
}

impl CustomOp3 for Depthwise {
    fn name(&self) -> &'static str {
        "florence-depthwise3x3"
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
        let (_, tokens, channels) = x_layout.shape().dims3()?;
        let Self { height, width } = *self;
        if tokens != height * width
            || weight_layout.dims() != [9, channels]
            || bias_layout.dims() != [channels]
        {
            bail!(
                "depthwise3x3: x {:?} of {height}×{width} tokens, weight {:?} (want [9, {channels}]), bias {:?}",
                x_layout.dims(),
                weight_layout.dims(),
                bias_layout.dims()
            );
        }
        let x = contiguous_f32(self.name(), x, x_layout)?;
        let weight = contiguous_f32(self.name(), weight, weight_layout)?;
        let bias = contiguous_f32(self.name(), bias, bias_layout)?;
        let mut out = vec![0f32; x.len()];
        let row = width * channels;
        if row > 0 {
            out.par_chunks_mut(row)
                .enumerate()
                .for_each(|(index, out)| {
                    let (image, y) = (index / height, index % height);
                    let image = &x[image * height * row..][..height * row];
                    convolve_row(image, (height, width), y, weight, bias, out);
                });
        }
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

/// One output row `y` of one image, in blocks of channels.
fn convolve_row(
    image: &[f32],
    (height, width): (usize, usize),
    y: usize,
    weight: &[f32],
    bias: &[f32],
    out: &mut [f32],
) {
    let channels = bias.len();
    for start in (0..channels).step_by(BLOCK) {
        let block = start..channels.min(start + BLOCK);
        for x in 0..width {
            let centre = (y * width + x) * channels;
            let mut sums = [0f32; BLOCK];
            let sums = &mut sums[..block.len()];
            for ((sum, &bias), &x) in sums
                .iter_mut()
                .zip(&bias[block.clone()])
                .zip(&image[centre + start..])
            {
                *sum = bias + x;
            }
            for dy in usize::from(y == 0)..3 - usize::from(y + 1 == height) {
                for dx in usize::from(x == 0)..3 - usize::from(x + 1 == width) {
                    let token = (y + dy - 1) * width + x + dx - 1;
                    let values = &image[token * channels + start..];
                    let taps = &weight[(dy * 3 + dx) * channels + start..];
                    for ((sum, &value), &tap) in sums.iter_mut().zip(values).zip(taps) {
                        *sum += value * tap;
                    }
                }
            }
            out[x * channels + start..][..block.len()].copy_from_slice(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// candle's grouped convolution, channels first.
    #[allow(clippy::disallowed_methods)]
    fn slow(x: &Tensor, (h, w): (usize, usize), weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let map = x.transpose(1, 2)?.reshape((batch, channels, h, w))?;
        let kernel = weight.t()?.reshape((channels, 1, 3, 3))?;
        let conv = map
            .conv2d(&kernel, 1, 1, 1, channels)?
            .broadcast_add(&bias.reshape((1, channels, 1, 1))?)?;
        (conv + map)?.flatten_from(2)?.transpose(1, 2)
    }

    #[test]
    fn agrees_with_candle_on_odd_shapes() -> Result<()> {
        for (batch, h, w, c) in [
            (1, 1, 1, 1),
            (2, 5, 3, 7),
            (1, 1, 9, 33),
            (3, 4, 1, 64),
            (1, 6, 7, 100),
        ] {
            let x = Tensor::randn(0f32, 1., (batch, h * w, c), &Device::Cpu)?;
            let weight = Tensor::randn(0f32, 1., (9, c), &Device::Cpu)?;
            let bias = Tensor::randn(0f32, 1., c, &Device::Cpu)?;
            let ours = depthwise3x3_residual(&x, (h, w), &weight, &bias)?;
            let diff = (ours - slow(&x, (h, w), &weight, &bias)?)?
                .abs()?
                .max_all()?
                .to_scalar::<f32>()?;
            assert!(diff < 1e-5, "({batch}, {h}×{w}, {c}): {diff}");
        }
        Ok(())
    }

    #[test]
    fn a_wrong_map_size_is_an_error() -> Result<()> {
        let x = Tensor::zeros((1, 6, 2), candle_core::DType::F32, &Device::Cpu)?;
        let weight = Tensor::zeros((9, 2), candle_core::DType::F32, &Device::Cpu)?;
        let bias = Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu)?;
        assert!(depthwise3x3_residual(&x, (2, 2), &weight, &bias).is_err());
        Ok(())
    }
}
