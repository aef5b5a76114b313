//! 8-bit quantized weights: blocks of 32 inputs share a scale, as in the Q8_0 format of llama.cpp,
//! in panels of 32 outputs.
//!
//! A block of a panel holds `(8 groups of 4 inputs, 32 outputs, 4 inputs)`
//! codes and 32 scales. A code is the rounded quotient plus 128, between 1 and
//! 255: unsigned times signed is what the CPU's dot product takes.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::aligned::Aligned;
use super::matrix::{Rows, RowsMut};
use super::panels::PANEL;
use super::product::fits;
use super::register_tile::{AHEAD, FEW, add_columns, add_sums};
use super::tiled_rows::Widen;
use crate::backend::cpu::simd::{Kernel, Simd, load_part};

/// Inputs that share a scale.
pub(crate) const BLOCK: usize = 32;
/// With more rows, on a CPU without an instruction for dot products of bytes, products of floats
/// with dequantized weights are faster.
pub(super) const FEW_ROWS: usize = 24;
/// Inputs whose products one lane of a dot product adds.
const GROUP: usize = 4;
/// Size of a block of a panel in units of `f32`: its codes, then its scales.
const SCALES_AT: usize = BLOCK * PANEL / 4;
const BLOCK_LEN: usize = SCALES_AT + PANEL;
/// The code of 0.
const ZERO: u8 = 128;

/// A quantized weight of `inputs` rows and `outputs` columns.
#[derive(Debug, Clone)]
pub(crate) struct Q8Weight {
    values: Aligned<f32>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Q8Weight {
    /// Quantizes a weight `(outputs, inputs)` on all threads; `read` writes some of its rows.
    ///
    /// # Errors
    ///
    /// The first that `read` gives.
    pub(crate) fn pack<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let blocks = inputs.div_ceil(BLOCK);
        let panels = outputs.div_ceil(PANEL);
        let values = Aligned::from_chunks(panels, blocks * BLOCK_LEN, |panel, values| {
            let rows = panel * PANEL..outputs.min((panel + 1) * PANEL);
            let mut lines = vec![0.0; rows.len() * inputs];
            read(rows, &mut lines)?;
            for values in values.chunks_exact_mut(BLOCK_LEN) {
                bytes_mut(&mut values[..SCALES_AT]).fill(ZERO);
            }
            for (column, line) in lines.chunks_exact(inputs).enumerate() {
                let blocks = line.chunks(BLOCK).zip(values.chunks_exact_mut(BLOCK_LEN));
                for (line, values) in blocks {
                    let (codes, scales) = values.split_at_mut(SCALES_AT);
                    let (scale, inverse) = scale_of(line);
                    scales[column] = scale;
                    for (input, &value) in line.iter().enumerate() {
                        let code = i16::from(quantize(value, inverse)) + i16::from(ZERO);
                        bytes_mut(codes)[place(input, column)] = code as u8;
                    }
                }
            }
            Ok(())
        })?;
        Ok(Self {
            values,
            inputs,
            outputs,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    fn blocks(&self) -> usize {
        self.inputs.div_ceil(BLOCK)
    }

    /// The codes `(8 groups, 32 outputs, 4)` and the scales of a block of a panel.
    #[inline(always)]
    pub(super) fn block(&self, panel: usize, block: usize) -> (&[u8], &[f32]) {
        let at = (panel * self.blocks() + block) * BLOCK_LEN;
        let (codes, scales) = self.values[at..][..BLOCK_LEN].split_at(SCALES_AT);
        (bytes(codes), scales)
    }

    /// Writes the dequantized column `column` to `out`, one value an input.
    pub(crate) fn column(&self, column: usize, out: &mut [f32]) {
        let len = self.blocks() * BLOCK_LEN;
        let panel = &self.values[column / PANEL * len..][..len];
        for (out, block) in out.chunks_mut(BLOCK).zip(panel.chunks_exact(BLOCK_LEN)) {
            let (codes, scales) = block.split_at(SCALES_AT);
            for (input, out) in out.iter_mut().enumerate() {
                let code = i16::from(bytes(codes)[place(input, column % PANEL)]);
                *out = f32::from(code - i16::from(ZERO)) * scales[column % PANEL];
            }
        }
    }
}

impl Widen for Q8Weight {
    fn shape(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    /// The dequantized weights; `inputs` start at a multiple of [`BLOCK`].
    #[inline(always)]
    fn widen<'a, S: Simd>(
        &'a self,
        simd: S,
        panel: usize,
        inputs: Range<usize>,
        wide: &'a mut [MaybeUninit<f32>],
    ) -> &'a [f32] {
        assert!(inputs.start.is_multiple_of(BLOCK));
        let blocks = inputs.start / BLOCK..inputs.end.div_ceil(BLOCK);
        let wide = &mut wide[..blocks.len() * BLOCK * PANEL];
        let zero = simd.splat(f32::from(ZERO));
        for (block, wide) in blocks.zip(wide.chunks_exact_mut(BLOCK * PANEL)) {
            let (codes, scales) = self.block(panel, block);
            for column in (0..PANEL).step_by(S::LANES) {
                let scale = load_part(simd, &scales[column..]);
                for input in (0..BLOCK).step_by(GROUP) {
                    let codes = &codes[place(input, column)..][..GROUP * S::LANES];
                    let wide =
                        &mut wide[input * PANEL + column..][..(GROUP - 1) * PANEL + S::LANES];
                    // SAFETY: a vector of codes, and room for a vector in each of four rows.
                    unsafe {
                        let codes = simd.load_bytes(codes.as_ptr());
                        for index in 0..GROUP {
                            let code = simd.sub(simd.byte(codes, index), zero);
                            let to = wide.as_mut_ptr().add(index * PANEL).cast();
                            simd.store(to, simd.mul(code, scale));
                        }
                    }
                }
            }
        }
        // SAFETY: all of it was just written.
        unsafe { std::slice::from_raw_parts(wide.as_ptr().cast(), wide.len()) }
    }
}

/// The index of the code of an input and a column in a block of a panel.
fn place(input: usize, column: usize) -> usize {
    input / GROUP * GROUP * PANEL + column * GROUP + input % GROUP
}

/// The scale of a block, and its inverse.
fn scale_of(block: &[f32]) -> (f32, f32) {
    let largest = block.iter().fold(0f32, |max, v| max.max(v.abs()));
    scale_for(largest, block.iter().map(|v| v * 0.0).sum())
}

/// The scale of a block whose largest magnitude is `largest`; NaN if `nothing`, the sum of its
/// values times 0, is, so that non-finite values propagate.
#[inline(always)]
fn scale_for(largest: f32, nothing: f32) -> (f32, f32) {
    let scale = largest / 127.0 + nothing;
    (scale, if scale > 0.0 { 1.0 / scale } else { 0.0 })
}

fn quantize(value: f32, inverse: f32) -> i8 {
    (value * inverse).round_ties_even() as i8
}

fn bytes(values: &[f32]) -> &[u8] {
    // SAFETY: any four bytes of a float are four bytes.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), 4 * values.len()) }
}

fn bytes_mut(values: &mut [f32]) -> &mut [u8] {
    // SAFETY: any four bytes of a float are four bytes, and the other way round.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), 4 * values.len()) }
}

/// Quantized rows of a matrix: signed 8-bit codes, each block of 32 with its scale.
#[derive(Debug, Default)]
pub(crate) struct QuantizedRows {
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// The sum of the codes of each block.
    sums: Vec<i32>,
    rows: usize,
    blocks: usize,
}

impl QuantizedRows {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    #[inline(always)]
    pub(crate) fn quantize<S: Simd>(&mut self, simd: S, a: Rows<'_>) {
        let blocks = a.columns.div_ceil(BLOCK);
        (self.rows, self.blocks) = (a.rows, blocks);
        let count = a.rows * blocks;
        grow(&mut self.codes, count * BLOCK);
        grow(&mut self.scales, count);
        grow(&mut self.sums, count);
        for row in 0..a.rows {
            let (values, rest) = a.row(row).as_chunks::<BLOCK>();
            for (block, values) in values.iter().enumerate() {
                self.set(simd, row * blocks + block, values);
            }
            if !rest.is_empty() {
                let mut padded = [0.0; BLOCK];
                padded[..rest.len()].copy_from_slice(rest);
                self.set(simd, row * blocks + blocks - 1, &padded);
            }
        }
    }

    /// Vectorized [`scale_of`] and [`quantize`].
    #[inline(always)]
    fn set<S: Simd>(&mut self, simd: S, at: usize, values: &[f32; BLOCK]) {
        let zero = simd.splat(0.0);
        let (mut largest, mut nothing) = (zero, zero);
        for values in values.chunks_exact(S::LANES) {
            let values = load_part(simd, values);
            largest = simd.max(simd.abs(values), largest);
            nothing = simd.mul_add(values, zero, nothing);
        }
        let (scale, inverse) = scale_for(simd.largest(largest), simd.sum(nothing));
        let inverse = simd.splat(inverse);
        let codes = &mut self.codes[at * BLOCK..][..BLOCK];
        let mut sums = zero;
        for (codes, values) in codes
            .chunks_exact_mut(S::LANES)
            .zip(values.chunks_exact(S::LANES))
        {
            let rounded = simd.round(simd.mul(load_part(simd, values), inverse));
            sums = simd.add(sums, rounded);
            // SAFETY: a chunk has room for one code a lane.
            unsafe { simd.store_i8(codes.as_mut_ptr(), rounded) };
        }
        self.scales[at] = scale;
        self.sums[at] = simd.sum(sums) as i32;
    }
}

fn grow<T: Clone + Default>(values: &mut Vec<T>, len: usize) {
    if values.len() < len {
        values.resize(len, T::default());
    }
}

/// As [`accumulate`](super::product::accumulate), for quantized rows
/// and weights. `inputs` starts at a multiple of [`BLOCK`].
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn accumulate<S: Simd>(
    simd: S,
    a: &QuantizedRows,
    b: &Q8Weight,
    inputs: Range<usize>,
    panels: Range<usize>,
    out: &mut RowsMut<'_>,
) {
    let first = inputs.start / BLOCK;
    assert!(
        inputs.start.is_multiple_of(BLOCK)
            && inputs.end <= b.inputs
            && (inputs.end == b.inputs || inputs.end.is_multiple_of(BLOCK))
            && a.blocks == inputs.len().div_ceil(BLOCK)
            && panels.end <= b.count()
            && out.rows == a.rows
            && fits(&panels, b.outputs, out.columns),
        "accumulate: {} rows of {} blocks · {}×{}[{inputs:?}, {panels:?}] into {out:?}",
        a.rows,
        a.blocks,
        b.inputs,
        b.outputs
    );
    let width = 2 * S::LANES;
    for (index, panel) in panels.enumerate() {
        let end = out.columns.min((index + 1) * PANEL);
        let blocks = &b.values[(panel * b.blocks() + first) * BLOCK_LEN..][..a.blocks * BLOCK_LEN];
        for column in (index * PANEL..end).step_by(width) {
            for row in (0..a.rows).step_by(S::Q8_TILE_ROWS) {
                // SAFETY: `row` and `column` are in bounds by the assertion
                // above, and `quantize` made room for all rows and blocks; a
                // block of a panel has all its 32 columns in memory.
                unsafe {
                    let tile = Tile {
                        rows: S::Q8_TILE_ROWS.min(a.rows - row),
                        blocks: a.blocks,
                        codes: a.codes.as_ptr().add(row * a.blocks * BLOCK),
                        scales: a.scales.as_ptr().add(row * a.blocks),
                        sums: a.sums.as_ptr().add(row * a.blocks),
                        b: blocks.as_ptr().add(column % PANEL),
                        out: out.as_ptr().add(row * out.stride + column),
                        out_stride: out.stride,
                    };
                    if column + width <= out.columns {
                        simd.call(tile);
                    } else {
                        narrow(simd, tile, out.columns - column);
                    }
                }
            }
        }
    }
}

/// A tile of `out += a · b`: `rows` rows and two vectors of columns. Its creator guarantees that
/// its pointers have what the fields say, and that nothing else accesses `out`.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    blocks: usize,
    /// `rows` rows of `blocks` blocks, with their scales and sums.
    codes: *const i8,
    scales: *const f32,
    sums: *const i32,
    /// `blocks` blocks of a panel, from the column on.
    b: *const f32,
    out: *mut f32,
    out_stride: usize,
}

/// Computes a tile of which only `columns` columns exist in `out`.
#[inline(always)]
unsafe fn narrow<S: Simd>(simd: S, tile: Tile, columns: usize) {
    let mut whole = [0.0; 16 * PANEL];
    // SAFETY: `whole` has room for 16 rows; the rest is the caller's promise.
    unsafe {
        simd.call(Tile {
            out: whole.as_mut_ptr(),
            out_stride: PANEL,
            ..tile
        });
        add_columns(&whole, (tile.rows, columns), (tile.out, tile.out_stride));
    }
}

impl Kernel for Tile {
    type Output = ();

    /// Computes the tile, its sums in registers.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        macro_rules! choose {
            ($($rows:literal)*) => {
                match self.rows {
                    // SAFETY: the promise of who made the tile.
                    $($rows if const { $rows <= S::Q8_TILE_ROWS } => unsafe { fixed_tile::<S, $rows>(simd, self) },)*
                    _ => unreachable!("tiles have at most {} rows", S::Q8_TILE_ROWS),
                }
            };
        }
        choose!(1 2 3 4 5 6)
    }
}

#[inline(always)]
unsafe fn fixed_tile<S: Simd, const M: usize>(simd: S, tile: Tile) {
    let mut sums = [[simd.splat(0.0); 2]; M];
    // SAFETY: all offsets are within what the caller promises.
    unsafe {
        for block in 0..tile.blocks {
            let b = tile.b.add(block * BLOCK_LEN);
            let mut dots = [[simd.dot_start(0); 2]; M];
            for (m, dots) in dots.iter_mut().enumerate() {
                *dots = [simd.dot_start(*tile.sums.add(m * tile.blocks + block)); 2];
            }
            for group in 0..BLOCK / GROUP {
                if M <= FEW {
                    let at = b.wrapping_add(group * PANEL).wrapping_byte_add(AHEAD);
                    simd.prefetch(at.cast());
                    simd.prefetch(at.wrapping_byte_add(64).cast());
                }
                let left = simd.load_bytes(b.add(group * PANEL).cast());
                let right = simd.load_bytes(b.add(group * PANEL + S::LANES).cast());
                for (m, dots) in dots.iter_mut().enumerate() {
                    let at = (m * tile.blocks + block) * BLOCK + group * GROUP;
                    let a = simd.splat_bytes(tile.codes.add(at).cast::<[i8; 4]>().read());
                    dots[0] = simd.dot(dots[0], left, a);
                    dots[1] = simd.dot(dots[1], right, a);
                }
            }
            for v in 0..2 {
                let scales = simd.load(b.add(SCALES_AT + v * S::LANES));
                for (m, (sums, dots)) in sums.iter_mut().zip(&dots).enumerate() {
                    let scale = simd.splat(*tile.scales.add(m * tile.blocks + block));
                    let dot = simd.to_f32(dots[v]);
                    sums[v] = simd.mul_add(dot, simd.mul(scale, scales), sums[v]);
                }
            }
        }
        add_sums(simd, &sums, (tile.out, tile.out_stride));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::simd::{Isa, Kernel};
    use crate::backend::testing::{close, random, rows_of};

    struct Product<'a> {
        a: Rows<'a>,
        b: &'a Q8Weight,
        inputs: Range<usize>,
        out: RowsMut<'a>,
    }

    impl Kernel for Product<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let mut coded = QuantizedRows::default();
            coded.quantize(simd, self.a);
            let mut out = self.out;
            accumulate(
                simd,
                &coded,
                self.b,
                self.inputs,
                0..self.b.count(),
                &mut out,
            );
        }
    }

    fn pack(weight: &[f32], outputs: usize, inputs: usize) -> Q8Weight {
        Q8Weight::pack(outputs, inputs, rows_of(weight, inputs)).unwrap()
    }

    /// The values that a quantized row stands for.
    fn coded(row: &[f32]) -> Vec<f32> {
        row.chunks(BLOCK)
            .flat_map(|block| {
                let scale = block.iter().fold(0f32, |m, v| m.max(v.abs())) / 127.0;
                block.iter().map(move |v| {
                    if scale > 0.0 {
                        (v * (1.0 / scale)).round_ties_even() * scale
                    } else {
                        0.0
                    }
                })
            })
            .collect()
    }

    #[test]
    fn is_the_product_of_the_coded_numbers() {
        for isa in Isa::all() {
            for (rows, inputs, outputs) in [
                (1, 1, 1),
                (3, 32, 33),
                (6, 64, 32),
                (7, 75, 100),
                (29, 200, 47),
                (2, 96, 80),
            ] {
                let mut weight = random(outputs * inputs, 1);
                weight[..inputs].fill(0.0);
                let b = pack(&weight, outputs, inputs);
                let mut a = random(rows * inputs, 2);
                a[..inputs.min(32)].fill(0.0);
                let mut out = random(rows * outputs, 3);
                let mut slow = out.clone();
                for row in 0..rows {
                    let a = coded(&a[row * inputs..][..inputs]);
                    for column in 0..outputs {
                        let w = coded(&weight[column * inputs..][..inputs]);
                        slow[row * outputs + column] +=
                            a.iter().zip(&w).map(|(a, w)| a * w).sum::<f32>();
                        let mut back = vec![0.0; inputs];
                        b.column(column, &mut back);
                        close(&back, &w, 1e-6);
                    }
                }
                isa.run(Product {
                    a: Rows::dense(&a, rows, inputs),
                    b: &b,
                    inputs: 0..inputs,
                    out: RowsMut::dense(&mut out, rows, outputs),
                });
                close(&out, &slow, 1e-5);
            }
        }
    }

    #[test]
    fn a_part_of_the_inputs_is_only_that_part() {
        let (rows, inputs, outputs) = (4, 100, 70);
        let weight = random(outputs * inputs, 1);
        let b = pack(&weight, outputs, inputs);
        let a = random(rows * inputs, 2);
        for isa in Isa::all() {
            let mut whole = vec![0.0; rows * outputs];
            isa.run(Product {
                a: Rows::dense(&a, rows, inputs),
                b: &b,
                inputs: 0..inputs,
                out: RowsMut::dense(&mut whole, rows, outputs),
            });
            let mut parts = vec![0.0; rows * outputs];
            for part in [0..64, 64..100] {
                isa.run(Product {
                    a: Rows::new(&a[part.start..], rows, part.len(), inputs),
                    b: &b,
                    inputs: part,
                    out: RowsMut::dense(&mut parts, rows, outputs),
                });
            }
            close(&parts, &whole, 1e-6);
        }
    }

    #[test]
    fn non_finite_values_propagate() {
        let b = pack(&random(64 * 5, 1), 5, 64);
        for isa in Isa::all() {
            for odd in [f32::NAN, f32::INFINITY] {
                let mut a = random(64, 2);
                a[40] = odd;
                let mut out = vec![0.0; 5];
                isa.run(Product {
                    a: Rows::dense(&a, 1, 64),
                    b: &b,
                    inputs: 0..64,
                    out: RowsMut::dense(&mut out, 1, 5),
                });
                assert!(out.iter().all(|v| v.is_nan()), "{out:?}");
            }
        }
    }

    #[test]
    fn the_largest_products_do_not_overflow() {
        let inputs = 64;
        let b = pack(&vec![-1.0; inputs * PANEL], PANEL, inputs);
        for isa in Isa::all() {
            for sign in [1.0, -1.0] {
                let a = vec![sign; inputs];
                let mut out = vec![0.0; PANEL];
                isa.run(Product {
                    a: Rows::dense(&a, 1, inputs),
                    b: &b,
                    inputs: 0..inputs,
                    out: RowsMut::dense(&mut out, 1, PANEL),
                });
                close(&out, &[-64.0 * sign; PANEL], 1e-6);
            }
        }
    }
}
