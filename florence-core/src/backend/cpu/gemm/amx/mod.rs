//! Products of `f32` on the matrix unit of recent Intel CPUs (AMX), which
//! multiplies `bf16` and adds in `f32`, sixteen times as fast as vectors do.
//!
//! An `f32` is the sum of three `bf16`, exactly: the leading 8 of its 24 significant bits, rounded,
//! then the leading 8 of the remainder, and the rest. An `f16` is the sum of two, a `bf16` one. The
//! product of two `bf16` fits an `f32`. So the sum over pairs of components is the sum that
//! [`panels`] computes, with about the same rounding: only the pairs whose product is below 2⁻²⁶ of
//! the whole are omitted. Five products for one, on a unit that is sixteen times as fast.
//!
//! Weights of 8 bits are multiplied as one component, `code · scale` rounded to
//! `bf16`, with rows rounded to one.
//!
//! Tiles are 16 rows of 64 bytes. The rows of the input become, for each 16 of
//! them and each 32 of their columns, three tiles of `(16 rows, 32 columns)`;
//! 32 rows of a panel of weights become two tiles a component, of
//! `(16 pairs of rows, 16 columns, 2)`.
//!
//! [`panels`]: super::panels

mod driver;
mod kernel;
mod split;

pub(crate) use split::{SplitRows, Weights};

use std::ops::Range;

use super::matrix::RowsMut;
use crate::backend::cpu::simd::{Activation, Avx512};
use driver::{Target, Work};

/// Rows of a tile.
const TILE: usize = 16;
/// Columns of the input, and rows of the weight, of a tile.
const STEP: usize = 32;
/// Numbers in a tile.
const TILE_LEN: usize = TILE * STEP;
/// Components of an `f32`.
const COMPONENTS: usize = 3;
/// Rows of a panel that are split at once.
const DEPTH: usize = 512;
/// With fewer rows, vectors are as fast.
pub(crate) const ROWS: usize = 16;

/// As [`accumulate`](super::product::accumulate), for split rows. `inputs` of 8-bit weights
/// start and end at whole blocks.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn accumulate<B: Weights>(
    simd: Avx512,
    a: &SplitRows,
    b: &B,
    inputs: Range<usize>,
    panels: Range<usize>,
    out: &mut RowsMut<'_>,
) {
    let work = Work {
        a,
        b,
        inputs,
        panels,
        bias: None,
        activation: Activation::None,
        target: Target::Rows(out.as_ptr(), out.stride),
        shape: (out.rows, out.columns),
    };
    // SAFETY: `out` has these rows and columns, and nobody else has it.
    unsafe { work.run(simd) }
}

/// `out = activation(bias + a · b[.., columns of panels])`, where `bias` has one
/// value a column.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn gemm_bias_act<B: Weights>(
    simd: Avx512,
    a: &SplitRows,
    b: &B,
    panels: Range<usize>,
    (bias, activation): (&[f32], Activation),
    out: &mut RowsMut<'_>,
) {
    let work = Work {
        a,
        b,
        inputs: 0..b.inputs(),
        panels,
        bias: Some(bias),
        activation,
        target: Target::Rows(out.as_ptr(), out.stride),
        shape: (out.rows, out.columns),
    };
    // SAFETY: as in `accumulate`.
    unsafe { work.run(simd) }
}

/// Whether products with so many inputs are one block: only their results can be split as they are
/// finished.
pub(crate) fn is_one_block(inputs: usize) -> bool {
    inputs <= DEPTH
}

/// As [`gemm_bias_act`], the result split for a product with `_next`.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn gemm_bias_act_split<B: Weights, C: Weights>(
    simd: Avx512,
    a: &SplitRows,
    b: &B,
    panels: Range<usize>,
    (bias, activation): (&[f32], Activation),
    out: &mut SplitRows,
    _next: &C,
) {
    out.components = C::ROW_COMPONENTS;
    let tiles = out.reshape(a.rows, bias.len());
    let work = Work {
        a,
        b,
        inputs: 0..b.inputs(),
        panels,
        bias: Some(bias),
        activation,
        target: Target::Tiles(tiles, bias.len().div_ceil(STEP), C::ROW_COMPONENTS),
        shape: (a.rows, bias.len()),
    };
    // SAFETY: `reshape` made room for these rows and columns.
    unsafe { work.run(simd) }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use half::bf16;

    use super::*;
    use crate::backend::cpu::gemm::matrix::Rows;
    use crate::backend::cpu::gemm::panels::{Element, PANEL, Panels};
    use crate::backend::cpu::gemm::q8::Q8Weight;
    use crate::backend::testing::{random, rows_of};

    /// Against `f64`: no further off than sums of `f32` products are.
    fn check<T: Element>(rows: usize, inputs: usize, outputs: usize, narrow: impl Fn(f32) -> f32) {
        let Some(simd) = Avx512::with_tiles() else {
            return;
        };
        let weight = random(outputs * inputs, 1)
            .into_iter()
            .map(narrow)
            .collect::<Vec<_>>();
        let b = Panels::<T>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
        let a = random(rows * inputs, 2);
        let mut split = SplitRows::default();
        split.split(simd, Rows::dense(&a, rows, inputs), &b);
        let start = random(rows * outputs, 3);
        let mut out = start.clone();
        let mut view = RowsMut::dense(&mut out, rows, outputs);
        accumulate(simd, &split, &b, 0..inputs, 0..b.count(), &mut view);
        let (mut off, mut plain_off) = (0f64, 0f64);
        for row in 0..rows {
            for column in 0..outputs {
                let at = row * outputs + column;
                let (mut right, mut plain) = (f64::from(start[at]), start[at]);
                for k in 0..inputs {
                    let (a, w) = (a[row * inputs + k], weight[column * inputs + k]);
                    right += f64::from(a) * f64::from(w);
                    plain = a.mul_add(w, plain);
                }
                off = off.max((f64::from(out[at]) - right).abs());
                plain_off = plain_off.max((f64::from(plain) - right).abs());
            }
        }
        assert!(
            off <= 1.5 * plain_off + 5e-7,
            "{rows}×{inputs}×{outputs}: off by {off:e}, a plain sum by {plain_off:e}"
        );
    }

    #[test]
    fn is_the_product_of_the_whole_numbers() {
        for (rows, inputs, outputs) in [
            (16, 32, 32),
            (1, 1, 1),
            (33, 70, 45),
            (64, 600, 96),
            (50, 1100, 33),
            (48, 31, 64),
        ] {
            check::<f32>(rows, inputs, outputs, |v| v);
            check::<f16>(rows, inputs, outputs, |v| f16::from_f32(v).to_f32());
            check::<bf16>(rows, inputs, outputs, |v| bf16::from_f32(v).to_f32());
        }
    }

    #[test]
    fn a_part_of_the_inputs_and_panels_is_only_that_part() {
        let Some(simd) = Avx512::with_tiles() else {
            return;
        };
        let (rows, inputs, outputs) = (20, 96, 70);
        let weight = random(outputs * inputs, 1);
        let b = Panels::<f32>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
        let a = random(rows * 40, 2);
        let mut split = SplitRows::default();
        split.split(simd, Rows::new(&a, rows, 32, 40), &b);
        let columns = outputs - PANEL;
        let mut out = vec![0.0; rows * columns];
        let mut view = RowsMut::dense(&mut out, rows, columns);
        accumulate(simd, &split, &b, 10..42, 1..3, &mut view);
        for row in 0..rows {
            for column in 0..columns {
                let weight = &weight[(column + PANEL) * inputs + 10..];
                let right = (0..32).map(|k| a[row * 40 + k] * weight[k]).sum::<f32>();
                assert!((out[row * columns + column] - right).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_split_result_is_the_result_that_is_split() {
        let Some(simd) = Avx512::with_tiles() else {
            return;
        };
        for (rows, inputs, outputs) in [(16, 32, 32), (37, 75, 45), (70, 512, 96)] {
            let weight = random(outputs * inputs, 1);
            let b = Panels::<f32>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
            let a = random(rows * inputs, 2);
            let bias = random(outputs, 3);
            let mut split = SplitRows::default();
            split.split(simd, Rows::dense(&a, rows, inputs), &b);
            let after = (bias.as_slice(), Activation::Gelu);
            let mut out = vec![f32::NAN; rows * outputs];
            let mut view = RowsMut::dense(&mut out, rows, outputs);
            gemm_bias_act(simd, &split, &b, 0..b.count(), after, &mut view);
            let (mut right, mut found) = (SplitRows::default(), SplitRows::default());
            right.split(simd, Rows::dense(&out, rows, outputs), &b);
            gemm_bias_act_split(simd, &split, &b, 0..b.count(), after, &mut found, &b);
            assert_eq!((found.rows, found.columns), (rows, outputs));
            let tiles = outputs.div_ceil(STEP) * COMPONENTS;
            for row in 0..rows {
                for tile in 0..tiles {
                    let at = (row / TILE * tiles + tile) * TILE_LEN + row % TILE * STEP;
                    assert_eq!(found.tiles[at..][..STEP], right.tiles[at..][..STEP]);
                }
            }
        }
    }

    #[test]
    fn codes_are_multiplied_as_bf16() {
        let Some(simd) = Avx512::with_tiles() else {
            return;
        };
        for (rows, inputs, outputs) in [(16, 32, 32), (37, 75, 45), (48, 1100, 64)] {
            let weight = random(outputs * inputs, 1);
            let b = Q8Weight::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
            let a = random(rows * inputs, 2);
            let mut split = SplitRows::default();
            split.split(simd, Rows::dense(&a, rows, inputs), &b);
            let mut out = vec![0.0; rows * outputs];
            let mut view = RowsMut::dense(&mut out, rows, outputs);
            accumulate(simd, &split, &b, 0..inputs, 0..b.count(), &mut view);
            let near = |value: f32| bf16::from_f32(value).to_f32();
            for column in 0..outputs {
                let mut weight = vec![0.0; inputs];
                b.column(column, &mut weight);
                for row in 0..rows {
                    let terms = a[row * inputs..][..inputs].iter().zip(&weight);
                    let right = terms.map(|(&a, &w)| near(a) * near(w)).sum::<f32>();
                    let found = out[row * outputs + column];
                    // Halves round to the even one there, away from zero here.
                    assert!((found - right).abs() < 2e-2, "{found} is not {right}");
                }
            }
        }
    }
}
