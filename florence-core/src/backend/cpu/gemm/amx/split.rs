//! Splits numbers into `bf16` components: rows of the input, and rows of a weight.

use std::arch::x86_64::*;
use std::ops::Range;

use half::bf16;

use super::{COMPONENTS, STEP, TILE, TILE_LEN};
use crate::backend::cpu::gemm::aligned::Aligned;
use crate::backend::cpu::gemm::matrix::Rows;
use crate::backend::cpu::gemm::panels::{Element, PANEL, Panels};
use crate::backend::cpu::gemm::q8::Q8Weight;
use crate::backend::cpu::simd::Avx512;

/// A weight that can be split.
pub(crate) trait Weights {
    /// Components of a number.
    const COMPONENTS: usize;
    /// Components of the other operand's numbers.
    const ROW_COMPONENTS: usize;

    fn inputs(&self) -> usize;

    fn outputs(&self) -> usize;

    /// Splits four rows of a panel, those from row `4·four` of `inputs` on,
    /// into their place in `(rows / 32, component, 2, 16 pairs, 16, 2)`.
    ///
    /// # Safety
    ///
    /// AVX-512 must be there, and `buffer` must have room for all rows of
    /// `inputs`, which must be rows of the weight.
    unsafe fn split(
        &self,
        simd: Avx512,
        panel: usize,
        inputs: &Range<usize>,
        four: usize,
        buffer: *mut bf16,
    );
}

impl<T: Element> Weights for Panels<T> {
    const COMPONENTS: usize = T::COMPONENTS;
    const ROW_COMPONENTS: usize = COMPONENTS;

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn split(
        &self,
        simd: Avx512,
        panel: usize,
        inputs: &Range<usize>,
        four: usize,
        buffer: *mut bf16,
    ) {
        let depth = inputs.len();
        let block = &self.panel(panel)[inputs.start * PANEL..][..depth * PANEL];
        for row in [4 * four, 4 * four + 2] {
            let step = row / STEP * T::COMPONENTS;
            for half in 0..2 {
                let load = |row: usize| {
                    if row < depth {
                        // SAFETY: the row has 32 numbers.
                        unsafe { T::load(simd, block.as_ptr().add(row * PANEL + half * TILE)) }
                    } else {
                        _mm512_setzero_ps()
                    }
                };
                let (mut even, mut odd) = (load(row), load(row + 1));
                for component in 0..T::COMPONENTS {
                    let (low, high) = (leading(even), leading(odd));
                    let tile = 2 * (step + component) + half;
                    // SAFETY: the caller promises room for all tiles.
                    unsafe {
                        let to = buffer.add(tile * TILE_LEN + row % STEP / 2 * STEP);
                        _mm512_store_si512(to.cast(), pairs(low, high));
                    }
                    even = _mm512_sub_ps(even, without_rest(low));
                    odd = _mm512_sub_ps(odd, without_rest(high));
                }
            }
        }
    }
}

impl Weights for Q8Weight {
    const COMPONENTS: usize = 1;
    const ROW_COMPONENTS: usize = 1;

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn split(
        &self,
        _simd: Avx512,
        panel: usize,
        inputs: &Range<usize>,
        four: usize,
        buffer: *mut bf16,
    ) {
        assert!(inputs.start.is_multiple_of(STEP), "codes come in blocks");
        let (step, group) = (4 * four / STEP, 4 * four % STEP / 4);
        let (codes, scales) = self.block(panel, inputs.start / STEP + step);
        for half in 0..2 {
            // SAFETY: a block has 32 scales and 8 groups of 4·32 codes; the
            // caller promises room for all tiles.
            unsafe {
                let scales = _mm512_loadu_ps(scales.as_ptr().add(half * TILE));
                let at = codes.as_ptr().add((group * PANEL + half * TILE) * 4);
                let codes = _mm512_loadu_si512(at.cast());
                // Codes minus 128, the four of a lane in the upper byte one after another.
                let codes = _mm512_xor_si512(codes, _mm512_set1_epi8(-128));
                let number = |code: __m512i| {
                    let code = _mm512_cvtepi32_ps(_mm512_srai_epi32::<24>(code));
                    leading(_mm512_mul_ps(code, scales))
                };
                let first = pairs(
                    number(_mm512_slli_epi32::<24>(codes)),
                    number(_mm512_slli_epi32::<16>(codes)),
                );
                let second = pairs(number(_mm512_slli_epi32::<8>(codes)), number(codes));
                let to = buffer.add((2 * step + half) * TILE_LEN + 2 * group * STEP);
                _mm512_store_si512(to.cast(), first);
                _mm512_store_si512(to.add(STEP).cast(), second);
            }
        }
    }
}

/// Two rows side by side, column by column, of bits from [`leading`].
#[target_feature(enable = "avx512f")]
fn pairs(low: __m512i, high: __m512i) -> __m512i {
    _mm512_or_si512(
        _mm512_srli_epi32::<16>(low),
        _mm512_and_si512(high, _mm512_set1_epi32(!0xffff)),
    )
}

/// Rows of a matrix, split.
#[derive(Debug, Default)]
pub(crate) struct SplitRows {
    /// `(rows / 16, columns / 32, component, 16, 32)`
    pub(super) tiles: Aligned<bf16>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) components: usize,
}

impl SplitRows {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Splits rows into as many components as products with `B` need. `simd` is the proof that the
    /// unit is there.
    #[inline(always)]
    pub(crate) fn split<B: Weights>(&mut self, simd: Avx512, rows: Rows<'_>, _for: &B) {
        self.components = B::ROW_COMPONENTS;
        // SAFETY: whoever has the proof has the instructions.
        unsafe { self.split_with(simd, rows) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
    unsafe fn split_with(&mut self, _simd: Avx512, rows: Rows<'_>) {
        let tiles = self.reshape(rows.rows, rows.columns);
        let steps = rows.columns.div_ceil(STEP);
        for row in 0..rows.rows.next_multiple_of(TILE) {
            let values = if row < rows.rows { rows.row(row) } else { &[] };
            for step in 0..steps {
                let values = values.get(step * STEP..).unwrap_or(&[]);
                let mut padded = [0.0; STEP];
                let values = if values.len() >= STEP {
                    values
                } else {
                    padded[..values.len()].copy_from_slice(values);
                    &padded
                };
                let tile = (row / TILE * steps + step) * self.components;
                // SAFETY: `values` has at least 32 numbers, and `tiles` room
                // for all rows, steps and components.
                unsafe {
                    let left = _mm512_loadu_ps(values.as_ptr());
                    let right = _mm512_loadu_ps(values.as_ptr().add(TILE));
                    let to = tiles.add(tile * TILE_LEN + row % TILE * STEP);
                    store_components(left, right, self.components, to);
                }
            }
        }
    }

    /// Resizes for rows in `self.components`.
    #[inline(always)]
    pub(super) fn reshape(&mut self, rows: usize, columns: usize) -> *mut bf16 {
        (self.rows, self.columns) = (rows, columns);
        let tiles = rows.div_ceil(TILE) * columns.div_ceil(STEP) * self.components;
        self.tiles.resize(tiles * TILE_LEN).as_mut_ptr()
    }
}

/// Writes the components of 32 numbers, one tile apart.
///
/// # Safety
///
/// `to` has room for as many components, and its lines are aligned.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
pub(super) unsafe fn store_components(
    mut left: __m512,
    mut right: __m512,
    components: usize,
    to: *mut bf16,
) {
    for component in 0..components {
        let (a, b) = (leading(left), leading(right));
        // SAFETY: the indices are a whole vector, aligned; the rest is the
        // caller's promise.
        unsafe {
            let upper = _mm512_load_si512(UPPER.0.as_ptr().cast());
            let both = _mm512_permutex2var_epi16(a, upper, b);
            _mm512_store_si512(to.add(component * TILE_LEN).cast(), both);
        }
        left = _mm512_sub_ps(left, without_rest(a));
        right = _mm512_sub_ps(right, without_rest(b));
    }
}

/// The upper halves of the lanes of two vectors.
#[repr(align(64))]
struct Indices([u16; STEP]);

static UPPER: Indices = {
    let mut indices = [0; STEP];
    let mut i = 0;
    while i < STEP {
        indices[i] = 2 * i as u16 + 1;
        i += 1;
    }
    Indices(indices)
};

/// Bits whose upper half is the nearest `bf16`.
#[target_feature(enable = "avx512f")]
fn leading(value: __m512) -> __m512i {
    _mm512_add_epi32(_mm512_castps_si512(value), _mm512_set1_epi32(0x8000))
}

/// The number in the upper halves.
#[target_feature(enable = "avx512f")]
fn without_rest(bits: __m512i) -> __m512 {
    _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(!0xffff)))
}
