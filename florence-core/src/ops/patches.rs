//! Patches of a feature map as rows, so that a strided convolution is one
//! matrix product whose result is already tokens-last.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::contiguous_f32;

/// The square windows of a convolution: `kernel`, `stride` and zero `padding`
/// in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patches {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Patches {
    /// Number of windows along a side of `len` pixels; 0 when none fits.
    pub(crate) fn count(&self, len: usize) -> usize {
        match (len + 2 * self.padding).checked_sub(self.kernel) {
            Some(room) if self.stride > 0 => room / self.stride + 1,
            _ => 0,
        }
    }
}

/// `x: (batch, height·width, channels)` to
/// `(batch, out_height·out_width, kernel·kernel·channels)`, each row a window
/// in (row, column, channel) order.
pub(crate) fn extract_patches(
    x: &Tensor,
    (height, width): (usize, usize),
    patches: Patches,
) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Extract {
        height,
        width,
        patches,
    })
}

struct Extract {
    height: usize,
    width: usize,
    patches: Patches,
}

impl CustomOp1 for Extract {
    fn name(&self) -> &'static str {
        "florence-patches"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, tokens, channels) = layout.shape().dims3()?;
        let Self {
            height,
            width,
            patches,
        } = *self;
        let (out_height, out_width) = (patches.count(height), patches.count(width));
        if tokens != height * width || out_height == 0 || out_width == 0 {
            bail!(
                "patches: {:?} is not {height}×{width} tokens that hold {patches:?}",
                layout.dims()
            );
        }
        let x = contiguous_f32(self.name(), x, layout)?;
        let row = patches.kernel * patches.kernel * channels;
        let mut out = vec![0f32; batch * out_height * out_width * row];
        out.par_chunks_mut(out_width * row)
            .enumerate()
            .for_each(|(index, out)| {
                let (image, top) = (index / out_height, index % out_height * patches.stride);
                let image = &x[image * tokens * channels..][..tokens * channels];
                for (column, window) in out.chunks_exact_mut(row).enumerate() {
                    let left = column * patches.stride;
                    for (ky, line) in window
                        .chunks_exact_mut(patches.kernel * channels)
                        .enumerate()
                    {
                        let Some(y) = inside(top + ky, patches.padding, height) else {
                            continue;
                        };
                        for (kx, pixel) in line.chunks_exact_mut(channels).enumerate() {
                            let Some(x) = inside(left + kx, patches.padding, width) else {
                                continue;
                            };
                            pixel.copy_from_slice(&image[(y * width + x) * channels..][..channels]);
                        }
                    }
                }
            });
        Ok((
            CpuStorage::F32(out),
            Shape::from((batch, out_height * out_width, row)),
        ))
    }
}

/// A position in padded coordinates, back in the map; `None` in the padding.
fn inside(padded: usize, padding: usize, len: usize) -> Option<usize> {
    padded.checked_sub(padding).filter(|&v| v < len)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_matrix_product_over_patches_is_candles_convolution() -> Result<()> {
        let device = &Device::Cpu;
        for (batch, h, w, c, out, kernel, stride, padding) in [
            (1, 8, 8, 3, 5, 7, 4, 3),
            (2, 5, 9, 4, 3, 3, 2, 1),
            (1, 3, 3, 2, 2, 3, 1, 1),
            (1, 4, 6, 1, 1, 2, 2, 0),
        ] {
            let x = Tensor::randn(0f32, 1., (batch, h * w, c), device)?;
            let weight = Tensor::randn(0f32, 1., (out, c, kernel, kernel), device)?;
            let map = x.transpose(1, 2)?.reshape((batch, c, h, w))?;
            let slow = map
                .conv2d(&weight, padding, stride, 1, 1)?
                .flatten_from(2)?
                .transpose(1, 2)?;
            let rows = extract_patches(
                &x,
                (h, w),
                Patches {
                    kernel,
                    stride,
                    padding,
                },
            )?;
            let weight = weight
                .permute((2, 3, 1, 0))?
                .reshape((kernel * kernel * c, out))?;
            let fast = rows.broadcast_matmul(&weight)?;
            let diff = (fast - slow)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(diff < 1e-4, "{batch} {h}×{w}×{c}: {diff}");
        }
        Ok(())
    }

    #[test]
    fn a_map_smaller_than_the_kernel_is_an_error() -> Result<()> {
        let x = Tensor::zeros((1, 4, 2), candle_core::DType::F32, &Device::Cpu)?;
        assert!(
            extract_patches(
                &x,
                (2, 2),
                Patches {
                    kernel: 3,
                    stride: 1,
                    padding: 0
                }
            )
            .is_err()
        );
        Ok(())
    }
}
