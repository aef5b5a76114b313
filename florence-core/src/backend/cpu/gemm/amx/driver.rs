//! The pipelined driver: while the matrix unit multiplies, vector units split the next weights and
//! finish the previous sums.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;
use std::ops::Range;

use half::bf16;

use super::kernel::{Configured, Product};
use super::split::{SplitRows, Weights, store_components};
use super::{COMPONENTS, DEPTH, STEP, TILE, TILE_LEN};
use crate::backend::cpu::gemm::panels::PANEL;
use crate::backend::cpu::gemm::product::fits;
use crate::backend::cpu::simd::{Activation, Avx512};

/// The destination of a product.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Rows, this many numbers apart.
    Rows(*mut f32, usize),
    /// Rows split: `(rows / 16, steps, components, 16, 32)`.
    Tiles(*mut bf16, usize, usize),
}

/// A product, its bias and activation, and its destination.
pub(super) struct Work<'a, B> {
    pub(super) a: &'a SplitRows,
    pub(super) b: &'a B,
    pub(super) inputs: Range<usize>,
    pub(super) panels: Range<usize>,
    /// The bias, one value a column; without it, sums are added to the target's values.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Activation,
    pub(super) target: Target,
    /// Rows and columns of the target.
    pub(super) shape: (usize, usize),
}

impl<B: Weights> Work<'_, B> {
    /// # Safety
    ///
    /// The target has its shape, and nothing else accesses it.
    #[inline(always)]
    pub(super) unsafe fn run(self, simd: Avx512) {
        let Self {
            a,
            b,
            inputs,
            panels,
            shape,
            ..
        } = &self;
        assert!(
            a.columns == inputs.len()
                && a.components == B::ROW_COMPONENTS
                && inputs.end <= b.inputs()
                && panels.end <= b.outputs().div_ceil(PANEL)
                && shape.0 == a.rows
                && self.bias.is_none_or(|bias| bias.len() == shape.1)
                && fits(panels, b.outputs(), shape.1),
            "product: {} rows of {} · {}×{}[{inputs:?}, {panels:?}] into {shape:?}",
            a.rows,
            a.columns,
            b.inputs(),
            b.outputs()
        );
        // SAFETY: whoever has the proof has the instructions; the shapes fit.
        unsafe { self.run_with(simd) }
    }

    /// While the matrix unit multiplies, the vector units finish the previous sums and split the
    /// next weights.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn run_with(self, simd: Avx512) {
        let Self {
            a,
            b,
            inputs,
            panels,
            bias,
            activation,
            target,
            shape: (_, columns),
        } = self;
        let mut buffers = [const { SplitPanel(MaybeUninit::uninit()) }; 2];
        let buffers = buffers
            .each_mut()
            .map(|buffer| buffer.0.as_mut_ptr().cast());
        let mut sums = [const { Sums(MaybeUninit::uninit()) }; 2];
        let sums = sums.each_mut().map(|sums| sums.0.as_mut_ptr().cast());
        let all_steps = a.columns.div_ceil(STEP);
        let deep = inputs.len().div_ceil(DEPTH);
        // A result that is split cannot be added to.
        assert!(deep == 1 || matches!(target, Target::Rows(..)));
        let blocks = panels.len() * deep;
        let splitting = |block: usize| {
            let first = inputs.start + block % deep * DEPTH;
            Splitting {
                weight: b,
                panel: panels.start + block / deep,
                inputs: first..inputs.end.min(first + DEPTH),
                buffer: buffers[block % 2],
                done: 0,
            }
        };
        let mut next = (blocks > 0).then(|| splitting(0));
        let mut finished = None::<Finished>;
        let mut turn = 0;
        let _tiles = Configured::new();
        for block in 0..blocks {
            let mut current = next.take().expect("there is one for each block");
            // SAFETY: the caller's promise; a buffer has room for a whole block.
            unsafe { current.advance(simd, usize::MAX) };
            next = (block + 1 < blocks).then(|| splitting(block + 1));
            let steps = current.inputs.len().div_ceil(STEP);
            let pace = (DEPTH / 4).div_ceil(steps * a.rows.div_ceil(2 * TILE));
            let (panel, deep) = (block / deep, block % deep);
            let last = current.inputs.end == inputs.end;
            for row in (0..a.rows).step_by(2 * TILE) {
                let rows = (2 * TILE).min(a.rows - row);
                let step = row / TILE * all_steps + deep * (DEPTH / STEP);
                turn ^= 1;
                // SAFETY: tiles exist for all rows and steps, and `sums` has room
                // for two rows of them; the target has these rows and columns, and
                // `bias` these columns.
                unsafe {
                    let product = Product {
                        a: a.tiles.as_ptr().add(step * a.components * TILE_LEN),
                        next_a: all_steps * a.components * TILE_LEN,
                        b: current.buffer,
                        steps,
                        out: sums[turn],
                    };
                    product.run::<B>(rows.div_ceil(TILE), || {
                        if let Some(finished) = &mut finished {
                            finished.advance(simd, (2 * TILE).div_ceil(steps));
                        }
                        if let Some(next) = &mut next {
                            next.advance(simd, pace);
                        }
                    });
                    finished = Some(Finished {
                        sums: sums[turn],
                        bias: bias
                            .filter(|_| deep == 0)
                            .map(|bias| bias.as_ptr().add(panel * PANEL)),
                        target: match target {
                            Target::Rows(out, stride) => {
                                Target::Rows(out.add(row * stride + panel * PANEL), stride)
                            }
                            Target::Tiles(tiles, steps, components) => {
                                let tile = (row / TILE * steps + panel) * components;
                                Target::Tiles(tiles.add(tile * TILE_LEN), steps, components)
                            }
                        },
                        rows,
                        columns: PANEL.min(columns - panel * PANEL),
                        activation: if last { activation } else { Activation::None },
                        done: 0,
                    });
                }
            }
        }
        if let Some(mut finished) = finished {
            // SAFETY: as above.
            unsafe { finished.advance(simd, usize::MAX) };
        }
    }
}

/// A block of weights that is being split.
struct Splitting<'a, B> {
    weight: &'a B,
    panel: usize,
    inputs: Range<usize>,
    buffer: *mut bf16,
    /// Progress, in groups of four rows.
    done: usize,
}

impl<B: Weights> Splitting<'_, B> {
    /// Splits `count` more groups of four rows, if there are as many.
    ///
    /// # Safety
    ///
    /// As for [`Weights::split`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn advance(&mut self, simd: Avx512, count: usize) {
        let all = self.inputs.len().next_multiple_of(STEP) / 4;
        let end = all.min(self.done.saturating_add(count));
        for four in self.done..end {
            // SAFETY: the caller's promise.
            unsafe {
                self.weight
                    .split(simd, self.panel, &self.inputs, four, self.buffer)
            };
        }
        self.done = end;
    }
}

/// Sums of two rows of tiles. They start from zero and are added to the result
/// once: a large number there would swallow the last bits of each.
#[repr(align(64))]
struct Sums(MaybeUninit<[f32; 2 * TILE * PANEL]>);

/// Sums that are being written to the result.
struct Finished {
    /// Rows of 32 numbers.
    sums: *const f32,
    /// The row that the sums are added to; the result itself if there is none.
    bias: Option<*const f32>,
    target: Target,
    rows: usize,
    columns: usize,
    /// The activation after the sum.
    activation: Activation,
    /// Progress, in rows.
    done: usize,
}

impl Finished {
    /// Finishes `count` more rows, if there are as many.
    ///
    /// # Safety
    ///
    /// The pointers have what the fields say, and nothing else accesses the result. One that is
    /// split needs a bias.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn advance(&mut self, simd: Avx512, count: usize) {
        let end = self.rows.min(self.done.saturating_add(count));
        let mask = |half: usize| match self.columns.saturating_sub(half) {
            0 => 0,
            columns => u16::MAX >> TILE.saturating_sub(columns),
        };
        let masks = [mask(0), mask(TILE)];
        for row in self.done..end {
            // SAFETY: the caller's promise; other columns are masked out.
            unsafe {
                let whole = match self.target {
                    Target::Rows(out, stride) => out.add(row * stride),
                    Target::Tiles(..) => std::ptr::null_mut(),
                };
                let start = self.bias.unwrap_or(whole);
                let finish = |half: usize| {
                    let start = start.wrapping_add(half * TILE);
                    let start = _mm512_maskz_loadu_ps(masks[half], start);
                    let sums = _mm512_load_ps(self.sums.add(row * PANEL + half * TILE));
                    self.activation.apply(simd, _mm512_add_ps(start, sums))
                };
                let (left, right) = (finish(0), finish(1));
                match self.target {
                    Target::Rows(..) => {
                        _mm512_mask_storeu_ps(whole, masks[0], left);
                        _mm512_mask_storeu_ps(whole.wrapping_add(TILE), masks[1], right);
                    }
                    Target::Tiles(tiles, steps, components) => {
                        let tile = row / TILE * steps * components;
                        let to = tiles.add(tile * TILE_LEN + row % TILE * STEP);
                        store_components(left, right, components, to);
                    }
                }
            }
        }
        self.done = end;
    }
}

/// Scratch memory for a block of a panel, split.
#[repr(align(64))]
struct SplitPanel(MaybeUninit<[bf16; DEPTH * PANEL * COMPONENTS]>);
