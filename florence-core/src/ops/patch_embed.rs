//! Convolutional patch embedding as a matrix product over patches, whose result
//! is already tokens-last. A task gathers the patches of some tokens at a time;
//! they never exist as a whole.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::affine::Affine;
use super::contiguous_f32;
use super::layer_norm::Norm;
use super::math::Activation;
use super::matrix::{Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};
use super::split::{TILE, chunk_rows, in_chunks};

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

/// A convolution, and the normalisation that may follow it.
#[derive(Debug)]
pub(crate) struct PatchEmbed {
    pub(crate) patches: Patches,
    /// From windows in (row, column, channel) order.
    conv: Affine,
    norm: Option<Norm>,
}

impl PatchEmbed {
    /// # Errors
    ///
    /// When the layers do not fit together.
    pub(crate) fn new(patches: Patches, conv: Affine, norm: Option<Norm>) -> Result<Self> {
        let area = patches.kernel * patches.kernel;
        if area == 0
            || !conv.inputs().is_multiple_of(area)
            || norm
                .as_ref()
                .is_some_and(|norm| norm.dim() != conv.outputs())
        {
            bail!(
                "patch embedding: {patches:?} with a layer {}→{}",
                conv.inputs(),
                conv.outputs()
            );
        }
        Ok(Self {
            patches,
            conv,
            norm,
        })
    }

    fn channels(&self) -> usize {
        self.conv.inputs() / (self.patches.kernel * self.patches.kernel)
    }

    /// `x` holds maps of `size`, one after the other.
    fn forward(&self, isa: Isa, x: &[f32], size: (usize, usize)) -> Vec<f32> {
        let dim = self.conv.outputs();
        let per_map = self.patches.count(size.0) * self.patches.count(size.1);
        let tokens = x.len() / (size.0 * size.1 * self.channels()) * per_map;
        let chunk = chunk_rows(tokens).unwrap_or(TILE);
        in_chunks(tokens * dim, chunk * dim, |index, out| {
            isa.run(Embed {
                layer: self,
                x,
                size,
                first: index * chunk,
                out,
            });
        })
    }
}

/// The tokens from number `first` on.
struct Embed<'a> {
    layer: &'a PatchEmbed,
    x: &'a [f32],
    size: (usize, usize),
    first: usize,
    out: &'a mut [f32],
}

impl Kernel for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let conv = &self.layer.conv;
        let (dim, length) = (conv.outputs(), conv.inputs());
        let rows = self.out.len() / dim;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let windows = scratch.normed.resize(rows * length);
                for (row, window) in windows.chunks_exact_mut(length).enumerate() {
                    self.gather(self.first + row, window);
                }
                let weight = conv.weight();
                let input =
                    weight.take(simd, Rows::dense(windows, rows, length), &mut scratch.input);
                let mut out = RowsMut::dense(self.out, rows, dim);
                conv.apply(simd, input, 0..weight.panels(), Activation::None, &mut out);
                if let Some(norm) = &self.layer.norm {
                    for row in 0..rows {
                        norm.row_in_place(simd, out.row(row));
                    }
                }
            },
        );
    }
}

impl Embed<'_> {
    /// Copies a token's window, zeros where it hangs over the edge of the map.
    #[inline(always)]
    fn gather(&self, token: usize, window: &mut [f32]) {
        let (height, width) = self.size;
        let patches = self.layer.patches;
        let channels = self.layer.channels();
        let (down, across) = (patches.count(height), patches.count(width));
        let (map, token) = (token / (down * across), token % (down * across));
        let map = &self.x[map * height * width * channels..][..height * width * channels];
        let (top, left) = (
            token / across * patches.stride,
            token % across * patches.stride,
        );
        let lines = window.chunks_exact_mut(patches.kernel * channels);
        // The columns of the window that are columns of the map.
        let inside = |start: usize, len: usize| {
            let first = patches.padding.saturating_sub(start).min(patches.kernel);
            let end = (len + patches.padding).saturating_sub(start);
            first..end.clamp(first, patches.kernel)
        };
        let (rows, columns) = (inside(top, height), inside(left, width));
        for (ky, line) in lines.enumerate() {
            if !rows.contains(&ky) || columns.is_empty() {
                line.fill(0.0);
                continue;
            }
            let (x, y) = (
                left + columns.start - patches.padding,
                top + ky - patches.padding,
            );
            let (start, end) = (columns.start * channels, columns.end * channels);
            line[..start].fill(0.0);
            line[start..end].copy_from_slice(&map[(y * width + x) * channels..][..end - start]);
            line[end..].fill(0.0);
        }
    }
}

/// `x: (batch, height·width, channels)` to
/// `norm(conv(x)): (batch, out_height·out_width, dim)`.
pub(crate) fn patch_embed(
    x: &Tensor,
    (height, width): (usize, usize),
    layer: &PatchEmbed,
) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Op {
        layer,
        height,
        width,
    })
}

struct Op<'a> {
    layer: &'a PatchEmbed,
    height: usize,
    width: usize,
}

impl CustomOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-patch-embed"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, tokens, channels) = layout.shape().dims3()?;
        let Self {
            layer,
            height,
            width,
        } = *self;
        let patches = layer.patches;
        let per_map = patches.count(height) * patches.count(width);
        if tokens != height * width || per_map == 0 || channels != layer.channels() {
            bail!(
                "patch embedding: {:?} is not {height}×{width} tokens of {} that hold {patches:?}",
                layout.dims(),
                layer.channels()
            );
        }
        let x = contiguous_f32(self.name(), x, layout)?;
        let out = layer.forward(Isa::best(), x, (height, width));
        let shape = Shape::from((batch, per_map, layer.conv.outputs()));
        Ok((CpuStorage::F32(out), shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::layer_norm::layer_norm;
    use crate::ops::testing::{affine, close, random, tensor, weight_of};

    /// candle's convolution, channels first.
    #[allow(clippy::disallowed_methods)]
    fn slow(x: &Tensor, (h, w): (usize, usize), layer: &PatchEmbed) -> Result<Tensor> {
        let (batch, _, c) = x.dims3()?;
        let Patches {
            kernel,
            stride,
            padding,
        } = layer.patches;
        let out = layer.conv.outputs();
        let weight = weight_of(&layer.conv)
            .reshape((out, kernel, kernel, c))?
            .permute((0, 3, 1, 2))?
            .contiguous()?;
        let map = x.transpose(1, 2)?.reshape((batch, c, h, w))?;
        let tokens = map
            .conv2d(&weight, padding, stride, 1, 1)?
            .broadcast_add(&tensor(layer.conv.bias(), (1, out, 1, 1)))?
            .flatten_from(2)?
            .transpose(1, 2)?;
        match &layer.norm {
            Some(norm) => layer_norm(&tokens, norm),
            None => Ok(tokens),
        }
    }

    #[test]
    fn agrees_with_candles_convolution() -> Result<()> {
        for (batch, h, w, c, out, kernel, stride, padding) in [
            (1, 8, 8, 3, 5, 7, 4, 3),
            (2, 5, 9, 4, 3, 3, 2, 1),
            (1, 3, 3, 2, 2, 3, 1, 1),
            (1, 4, 6, 1, 1, 2, 2, 0),
            (2, 40, 36, 3, 40, 7, 2, 3),
        ] {
            for norm in [None, Some(Norm::new(random(out, 1), random(out, 2), 1e-5)?)] {
                let patches = Patches {
                    kernel,
                    stride,
                    padding,
                };
                let layer = PatchEmbed::new(patches, affine(kernel * kernel * c, out, 3), norm)?;
                let x = random(batch * h * w * c, 4);
                let input = tensor(&x, (batch, h * w, c));
                let slow = slow(&input, (h, w), &layer)?
                    .flatten_all()?
                    .to_vec1::<f32>()?;
                for isa in Isa::all() {
                    close(&layer.forward(isa, &x, (h, w)), &slow, 1e-5);
                }
                let op = patch_embed(&input, (h, w), &layer)?;
                close(&op.flatten_all()?.to_vec1::<f32>()?, &slow, 1e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn a_map_smaller_than_the_kernel_is_an_error() -> Result<()> {
        let patches = Patches {
            kernel: 3,
            stride: 1,
            padding: 0,
        };
        let layer = PatchEmbed::new(patches, affine(18, 4, 1), None)?;
        assert!(patch_embed(&tensor(&[0.0; 8], (1, 4, 2)), (2, 2), &layer).is_err());
        assert!(PatchEmbed::new(patches, affine(17, 4, 1), None).is_err());
        Ok(())
    }
}
