//! Convolutional patch embedding as a matrix product over im2col rows, whose result is
//! channels-last. A task gathers the rows of some tokens at a time; they are never in memory as a
//! whole.

use super::gemm::{Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Activation, Isa, Kernel, Simd};
use super::threads::{FEW, chunk_rows, in_chunks};
use super::{LayerNorm, Linear};
use crate::backend::{Dims, Patches};

/// `norm(conv(x))`, where `x` holds maps of `size` and `conv` takes windows in
/// (row, column, channel) order.
pub(crate) fn patch_embed(
    isa: Isa,
    (patches, conv): (Patches, &Linear),
    norm: Option<&LayerNorm>,
    x: &[f32],
    size: (usize, usize),
) -> Vec<f32> {
    let dim = conv.outputs();
    let channels = conv.inputs() / (patches.kernel * patches.kernel);
    let per_map = patches.count(size.0) * patches.count(size.1);
    let tokens = x.len() / (size.0 * size.1 * channels) * per_map;
    let chunk = chunk_rows(isa, tokens).unwrap_or(FEW);
    in_chunks(tokens * dim, chunk * dim, |index, out| {
        isa.run(Embed {
            patches,
            conv,
            norm,
            channels,
            x,
            size,
            first: index * chunk,
            out,
        });
    })
}

/// The tokens from index `first` on.
struct Embed<'a> {
    patches: Patches,
    conv: &'a Linear,
    norm: Option<&'a LayerNorm>,
    channels: usize,
    x: &'a [f32],
    size: (usize, usize),
    first: usize,
    out: &'a mut [f32],
}

impl Kernel for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let conv = self.conv;
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
                    weight.pack_input(simd, Rows::dense(windows, rows, length), &mut scratch.input);
                let mut out = RowsMut::dense(self.out, rows, dim);
                conv.apply(simd, input, 0..weight.panels(), Activation::None, &mut out);
                if let Some(norm) = self.norm {
                    for row in 0..rows {
                        norm.row_in_place(simd, out.row(row));
                    }
                }
            },
        );
    }
}

impl Embed<'_> {
    /// Copies a token's window, an im2col row, zero-padded at the edges of the map.
    #[inline(always)]
    fn gather(&self, token: usize, window: &mut [f32]) {
        let (height, width) = self.size;
        let (patches, channels) = (self.patches, self.channels);
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

#[cfg(test)]
mod tests {
    use candle_core::Result;

    use super::*;
    use crate::backend::testing::{Operation, agree, kernels, norm, parameter, random, tensor};
    use crate::backend::{Backend, NormAt, PatchEmbed};

    struct Embedding {
        patches: Patches,
        size: (usize, usize),
        channels: usize,
        dim: usize,
        norm_at: NormAt,
    }

    impl Operation for Embedding {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            let kernel = self.patches.kernel;
            let weight = parameter(&[self.dim, self.channels, kernel, kernel], 0.3, 1);
            let conv = backend
                .conv(&weight, &parameter(&[self.dim], 1.0, 2))
                .unwrap();
            let normed = match self.norm_at {
                NormAt::Input => self.channels,
                NormAt::Output => self.dim,
            };
            let norm = norm(backend, normed, 3);
            let layer = PatchEmbed::new(self.patches, conv, norm, self.norm_at)?;
            backend.patch_embed(x, self.size, &layer)
        }
    }

    #[test]
    fn agrees_with_the_tensor_form_on_odd_shapes() -> Result<()> {
        for (batch, h, w, channels, dim, kernel, stride, padding) in [
            (1, 8, 8, 3, 5, 7, 4, 3),
            (2, 5, 9, 4, 3, 3, 2, 1),
            (1, 3, 3, 2, 2, 3, 1, 1),
            (1, 4, 6, 1, 1, 2, 2, 0),
            (2, 40, 36, 3, 40, 7, 2, 3),
        ] {
            for norm_at in [NormAt::Input, NormAt::Output] {
                let embedding = Embedding {
                    patches: Patches {
                        kernel,
                        stride,
                        padding,
                    },
                    size: (h, w),
                    channels,
                    dim,
                    norm_at,
                };
                let x = tensor(
                    &random(batch * h * w * channels, 4),
                    (batch, h * w, channels),
                );
                agree(&embedding, &x, 1e-5)?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_map_smaller_than_the_kernel_is_an_error() -> Result<()> {
        let cpu = kernels(Isa::best());
        let embedding = Embedding {
            patches: Patches {
                kernel: 3,
                stride: 1,
                padding: 0,
            },
            size: (2, 2),
            channels: 2,
            dim: 4,
            norm_at: NormAt::Output,
        };
        let x = cpu.input(&tensor(&[0.0; 8], (1, 4, 2)))?;
        assert!(embedding.run(&cpu, x).is_err());
        Ok(())
    }
}
