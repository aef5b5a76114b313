//! Self-attention inside non-overlapping square windows of the map, as one fused operation:
//! `x + proj(attention(qkv(norm(x))))`.
//!
//! A task takes one window from the map and back by index: nothing is padded,
//! permuted or partitioned in memory, and all intermediate values of a window
//! stay in the task's second-level cache.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::Cpu;
use super::attention::{attend, pack_keys, pack_values};
use super::gemm::{Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Activation, Isa, Kernel, Simd};
use crate::backend::Attention;

/// `x + proj(attention(qkv(norm(x))))` within windows of `window` tokens a side;
/// `x` holds maps of `height × width` tokens, one after the other.
pub(crate) fn window_attention(
    isa: Isa,
    layer: &Attention<Cpu>,
    window: usize,
    x: &mut [f32],
    (height, width): (usize, usize),
) {
    let dim = layer.norm.dim();
    let (down, across) = (height.div_ceil(window), width.div_ceil(window));
    let maps = x.len() / (height * width * dim);
    let tokens = Tokens::new(x, dim);
    (0..maps * down * across).into_par_iter().for_each(|index| {
        let (map, place) = (index / (down * across), index % (down * across));
        let place = Place {
            map,
            top: place / across * window,
            left: place % across * window,
            height,
            width,
        };
        isa.run(Window {
            layer,
            side: window,
            place,
            tokens: &tokens,
        });
    });
}

/// A window's place in the maps.
#[derive(Clone, Copy)]
struct Place {
    map: usize,
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Place {
    /// The token at position `index` of a window of `side × side`; `None` where the window extends
    /// beyond the edge of the map.
    #[inline(always)]
    fn token(&self, index: usize, side: usize) -> Option<usize> {
        let (y, x) = (self.top + index / side, self.left + index % side);
        (y < self.height && x < self.width).then_some((self.map * self.height + y) * self.width + x)
    }
}

/// The maps, of which every window has its own tokens.
struct Tokens<'a> {
    values: *mut f32,
    count: usize,
    dim: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: tasks see the values through `row` only, each its own tokens.
unsafe impl Sync for Tokens<'_> {}

impl<'a> Tokens<'a> {
    fn new(x: &'a mut [f32], dim: usize) -> Self {
        Self {
            values: x.as_mut_ptr(),
            count: x.len() / dim,
            dim,
            owner: PhantomData,
        }
    }

    /// # Safety
    ///
    /// No other slice of this token may be alive.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    unsafe fn row(&self, token: usize) -> &mut [f32] {
        assert!(token < self.count);
        // SAFETY: in bounds by the assertion, exclusive by contract.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(token * self.dim), self.dim) }
    }
}

struct Window<'a> {
    layer: &'a Attention<Cpu>,
    side: usize,
    place: Place,
    tokens: &'a Tokens<'a>,
}

impl Kernel for Window<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            layer,
            side,
            place,
            tokens,
        } = self;
        let dim = tokens.dim;
        let len = side * side;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let normed = scratch.normed.resize(len * dim);
                for (index, normed) in normed.chunks_exact_mut(dim).enumerate() {
                    match place.token(index, side) {
                        // SAFETY: windows do not overlap.
                        Some(token) => layer.norm.row(simd, unsafe { tokens.row(token) }, normed),
                        // The reference pads with zeros after the normalization, and
                        // does not mask: padding takes part as its bias.
                        None => normed.fill(0.0),
                    }
                }
                let qkv = scratch.hidden.resize(len * 3 * dim);
                let input = Rows::dense(normed, len, dim);
                let input = layer
                    .qkv
                    .weight()
                    .pack_input(simd, input, &mut scratch.input);
                let panels = 0..layer.qkv.weight().panels();
                let mut view = RowsMut::dense(qkv, len, 3 * dim);
                layer
                    .qkv
                    .apply(simd, input, panels, Activation::None, &mut view);

                let attended = scratch.attended.resize(len * dim);
                let mut view = RowsMut::dense(attended, len, dim);
                let width = dim / layer.heads;
                let head = &mut scratch.head;
                for start in (0..dim).step_by(width) {
                    let part = |offset| Rows::new(&qkv[offset + start..], len, width, 3 * dim);
                    let (mut keys, mut values) = head.take();
                    pack_keys(simd, part(dim), (width as f32).powf(-0.5), &mut keys);
                    pack_values(part(2 * dim), &mut values);
                    let mut out = view.columns(start..start + width);
                    let packed = (&keys, &values);
                    attend(
                        simd,
                        part(0),
                        packed,
                        len,
                        #[inline(always)]
                        |_| len,
                        head,
                        &mut out,
                    );
                    head.give_back(keys, values);
                }

                let out = scratch.normed.resize(len * dim);
                let input = Rows::dense(attended, len, dim);
                let input = layer
                    .proj
                    .weight()
                    .pack_input(simd, input, &mut scratch.input);
                let panels = 0..layer.proj.weight().panels();
                let mut view = RowsMut::dense(out, len, dim);
                layer
                    .proj
                    .apply(simd, input, panels, Activation::None, &mut view);
                for (index, out) in out.chunks_exact(dim).enumerate() {
                    if let Some(token) = place.token(index, side) {
                        // SAFETY: windows do not overlap.
                        let x = unsafe { tokens.row(token) };
                        for (x, out) in x.iter_mut().zip(out) {
                            *x += out;
                        }
                    }
                }
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

    struct Windows {
        size: (usize, usize),
        dim: usize,
        heads: usize,
        window: usize,
    }

    impl Operation for Windows {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            let qkv = linear(backend, self.dim, 3 * self.dim, 3);
            let proj = linear(backend, self.dim, self.dim, 4);
            let layer = Attention::new(norm(backend, self.dim, 1), qkv, proj, self.heads)?;
            backend.window_attention(x, self.size, &layer, self.window)
        }
    }

    #[test]
    fn agrees_with_the_tensor_form_where_windows_do_not_divide_the_map() -> Result<()> {
        for (batch, height, width, dim, heads, window) in [
            (1, 1, 1, 2, 1, 1),
            (2, 5, 7, 12, 3, 3),
            (1, 12, 12, 32, 1, 12),
            (3, 4, 9, 64, 2, 5),
            (1, 13, 25, 96, 3, 12),
        ] {
            let x = random(batch * height * width * dim, 5);
            let half = Windows {
                size: (height, width),
                dim,
                heads,
                window,
            };
            agree(&half, &tensor(&x, (batch, height * width, dim)), 2e-5)?;
        }
        Ok(())
    }

    #[test]
    fn shape_mismatches_are_errors() -> Result<()> {
        let cpu = kernels(Isa::best());
        let attend = |x: &[f32], shape, window| {
            let half = Windows {
                size: (2, 2),
                dim: 4,
                heads: 2,
                window,
            };
            half.run(&cpu, cpu.input(&tensor(x, shape)).unwrap())
        };
        assert!(attend(&[0.0; 16], (1, 4, 4), 3).is_ok());
        assert!(attend(&[0.0; 16], (1, 4, 4), 0).is_err());
        assert!(attend(&[0.0; 24], (1, 6, 4), 3).is_err());
        assert!(attend(&[0.0; 20], (1, 4, 5), 3).is_err());
        Ok(())
    }
}
