//! Self-attention inside non-overlapping square windows of the map, as one
//! operation: `x + proj(attention(qkv(norm(x))))`.
//!
//! A task takes one window from the map and back by index: nothing is padded,
//! permuted or partitioned in memory, and all intermediate values of a window
//! stay in the task's second-level cache.

use std::marker::PhantomData;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::affine::Affine;
use super::attention::{attend, pack_keys, pack_values};
use super::contiguous_f32_mut;
use super::layer_norm::Norm;
use super::math::Activation;
use super::matrix::{Rows, RowsMut};
use super::scratch::Scratch;
use super::simd::{Isa, Kernel, Simd};

/// The attention half of a spatial block.
#[derive(Debug)]
pub(crate) struct WindowAttention {
    norm: Norm,
    qkv: Affine,
    proj: Affine,
    heads: usize,
    window: usize,
}

impl WindowAttention {
    /// # Errors
    ///
    /// When the layers do not fit together, or heads do not divide the rows.
    pub(crate) fn new(
        norm: Norm,
        qkv: Affine,
        proj: Affine,
        heads: usize,
        window: usize,
    ) -> Result<Self> {
        super::check_attention(&norm, &qkv, &proj, heads)?;
        if window == 0 {
            bail!("window attention: a window of 0×0 tokens");
        }
        Ok(Self {
            norm,
            qkv,
            proj,
            heads,
            window,
        })
    }

    /// `x` holds maps of `height × width` tokens, one after the other.
    fn forward_in_place(&self, isa: Isa, x: &mut [f32], (height, width): (usize, usize)) {
        let dim = self.norm.dim();
        let (down, across) = (height.div_ceil(self.window), width.div_ceil(self.window));
        let maps = x.len() / (height * width * dim);
        let tokens = Tokens::new(x, dim);
        (0..maps * down * across).into_par_iter().for_each(|index| {
            let (map, window) = (index / (down * across), index % (down * across));
            let place = Place {
                map,
                top: window / across * self.window,
                left: window % across * self.window,
                height,
                width,
            };
            isa.run(Window {
                layer: self,
                place,
                tokens: &tokens,
            });
        });
    }
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
    /// The token at position `index` of a window of `side × side`; `None` where
    /// the window hangs over the edge of the map.
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
    layer: &'a WindowAttention,
    place: Place,
    tokens: &'a Tokens<'a>,
}

impl Kernel for Window<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            layer,
            place,
            tokens,
        } = self;
        let (dim, side) = (tokens.dim, layer.window);
        let len = side * side;
        Scratch::with(
            #[inline(always)]
            |scratch| {
                let normed = scratch.normed.resize(len * dim);
                for (index, normed) in normed.chunks_exact_mut(dim).enumerate() {
                    match place.token(index, side) {
                        // SAFETY: windows do not overlap.
                        Some(token) => layer.norm.row(simd, unsafe { tokens.row(token) }, normed),
                        // The reference pads with zeros after the normalisation, and
                        // does not mask: padding takes part as its bias.
                        None => normed.fill(0.0),
                    }
                }
                let qkv = scratch.hidden.resize(len * 3 * dim);
                let input = Rows::dense(normed, len, dim);
                let input = layer.qkv.weight().take(simd, input, &mut scratch.input);
                let panels = 0..layer.qkv.weight().panels();
                let mut view = RowsMut::dense(qkv, len, 3 * dim);
                layer
                    .qkv
                    .apply(simd, input, panels, Activation::None, &mut view);

                let mixed = scratch.mixed.resize(len * dim);
                let mut view = RowsMut::dense(mixed, len, dim);
                let width = dim / layer.heads;
                let head = &mut scratch.head;
                for start in (0..dim).step_by(width) {
                    let part = |offset| Rows::new(&qkv[offset + start..], len, width, 3 * dim);
                    let (mut keys, mut values) = head.take();
                    pack_keys(part(dim), (width as f32).powf(-0.5), &mut keys);
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
                let input = Rows::dense(mixed, len, dim);
                let input = layer.proj.weight().take(simd, input, &mut scratch.input);
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

/// `x += proj(attention(qkv(norm(x))))` for `x: (batch, height·width, dim)`.
pub(crate) fn window_attention(
    x: &Tensor,
    (height, width): (usize, usize),
    layer: &WindowAttention,
) -> Result<()> {
    x.inplace_op1(&Op {
        layer,
        height,
        width,
    })
}

struct Op<'a> {
    layer: &'a WindowAttention,
    height: usize,
    width: usize,
}

impl InplaceOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-window-attention"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (_, tokens, dim) = layout.shape().dims3()?;
        let Self {
            layer,
            height,
            width,
        } = *self;
        if tokens != height * width || tokens == 0 || dim != layer.norm.dim() {
            bail!(
                "window attention: x {:?} is not {height}×{width} tokens of {}",
                layout.dims(),
                layer.norm.dim()
            );
        }
        let x = contiguous_f32_mut(self.name(), x, layout)?;
        layer.forward_in_place(Isa::best(), x, (height, width));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::attention;
    use crate::ops::layer_norm::layer_norm;
    use crate::ops::testing::{affine, close, random, slow_affine, tensor};

    /// The reference's steps: normalise, pad, partition, attend, reverse, crop.
    fn slow(
        x: &Tensor,
        (height, width): (usize, usize),
        layer: &WindowAttention,
    ) -> Result<Tensor> {
        let (batch, tokens, dim) = x.dims3()?;
        let (side, heads) = (layer.window, layer.heads);
        let (down, across) = (height.div_ceil(side), width.div_ceil(side));
        let windows = layer_norm(x, &layer.norm)?
            .reshape((batch, height, width, dim))?
            .pad_with_zeros(1, 0, down * side - height)?
            .pad_with_zeros(2, 0, across * side - width)?
            .reshape(&[batch, down, side, across, side, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch * down * across, side * side, dim))?;
        let qkv = slow_affine(&windows, &layer.qkv)?
            .reshape((batch * down * across, side * side, 3, heads, dim / heads))?
            .permute((2, 0, 3, 1, 4))?;
        let mixed = attention::tests::slow(&qkv.get(0)?, &qkv.get(1)?, &qkv.get(2)?, None)?
            .transpose(1, 2)?
            .reshape((batch * down * across, side * side, dim))?;
        let out = slow_affine(&mixed, &layer.proj)?
            .reshape(&[batch, down, across, side, side, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch, down * side, across * side, dim))?
            .narrow(1, 0, height)?
            .narrow(2, 0, width)?
            .reshape((batch, tokens, dim))?;
        x + out
    }

    fn layer(dim: usize, heads: usize, window: usize) -> Result<WindowAttention> {
        let norm = Norm::new(random(dim, 1), random(dim, 2), 1e-5)?;
        WindowAttention::new(
            norm,
            affine(dim, 3 * dim, 3),
            affine(dim, dim, 4),
            heads,
            window,
        )
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
            let layer = layer(dim, heads, window)?;
            let x = random(batch * height * width * dim, 5);
            let input = tensor(&x, (batch, height * width, dim));
            let slow = slow(&input, (height, width), &layer)?
                .flatten_all()?
                .to_vec1::<f32>()?;
            for isa in Isa::all() {
                let mut out = x.clone();
                layer.forward_in_place(isa, &mut out, (height, width));
                close(&out, &slow, 2e-5);
            }
            window_attention(&input, (height, width), &layer)?;
            close(&input.flatten_all()?.to_vec1::<f32>()?, &slow, 2e-5);
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_an_error() -> Result<()> {
        let layer = layer(4, 2, 3)?;
        assert!(window_attention(&tensor(&[0.0; 24], (1, 6, 4)), (2, 2), &layer).is_err());
        assert!(window_attention(&tensor(&[0.0; 20], (1, 4, 5)), (2, 2), &layer).is_err());
        Ok(())
    }
}
