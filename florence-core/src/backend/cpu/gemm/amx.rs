//! Products of `f32` on the matrix unit of recent Intel CPUs (AMX), which
//! multiplies `bf16` and adds in `f32`, sixteen times as fast as vectors do.
//!
//! An `f32` is the sum of three `bf16`, exactly: the leading 8 of its 24
//! significant bits, rounded, then the leading 8 of what is left, and the rest.
//! An `f16` is the sum of two, a `bf16` one. The product of two `bf16` fits an
//! `f32`. So the sum over pairs of pieces is the sum that [`panels`] computes,
//! with about the same rounding: left out are only the pairs whose product is
//! below 2⁻²⁶ of the whole. Five products for one, on a unit that is sixteen
//! times as fast.
//!
//! Weights of 8 bits are multiplied as one piece, `code · scale` rounded to
//! `bf16`, with rows rounded to one.
//!
//! Tiles are 16 rows of 64 bytes. The rows of the input become, for each 16 of
//! them and each 32 of their columns, three tiles of `(16 rows, 32 columns)`;
//! 32 rows of a panel of weights become two tiles a piece, of
//! `(16 pairs of rows, 16 columns, 2)`.
//!
//! [`panels`]: super::panels

use std::arch::asm;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;
use std::ops::Range;

use half::bf16;

use super::aligned::Aligned;
use super::codes::Codes;
use super::matrix::{Rows, RowsMut};
use super::panels::{Element, PANEL, Panels, fits};
use crate::backend::cpu::simd::Activation;
use crate::backend::cpu::simd::Avx512;

/// Rows of a tile.
const TILE: usize = 16;
/// Columns of the input, and rows of the weight, of a tile.
const STEP: usize = 32;
/// Numbers in a tile.
const TILE_LEN: usize = TILE * STEP;
/// Pieces of an `f32`.
const PIECES: usize = 3;
/// Rows of a panel that are taken apart at once.
const DEPTH: usize = 512;
/// With fewer rows, vectors are as fast.
pub(crate) const ROWS: usize = 16;

/// A weight that can be taken apart.
pub(crate) trait Weights {
    /// Pieces of a number.
    const PIECES: usize;
    /// Pieces of the numbers that it is multiplied with.
    const ROW_PIECES: usize;

    fn inputs(&self) -> usize;

    fn outputs(&self) -> usize;

    /// Takes four rows of a panel apart, those from row `4·four` of `inputs` on,
    /// into their place in `(rows / 32, piece, 2, 16 pairs, 16, 2)`.
    ///
    /// # Safety
    ///
    /// AVX-512 must be there, and `room` must have room for all rows of
    /// `inputs`, which must be rows of the weight.
    unsafe fn split(
        &self,
        simd: Avx512,
        panel: usize,
        inputs: &Range<usize>,
        four: usize,
        room: *mut bf16,
    );
}

impl<T: Element> Weights for Panels<T> {
    const PIECES: usize = T::PIECES;
    const ROW_PIECES: usize = PIECES;

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
        room: *mut bf16,
    ) {
        let depth = inputs.len();
        let block = &self.panel(panel)[inputs.start * PANEL..][..depth * PANEL];
        for row in [4 * four, 4 * four + 2] {
            let step = row / STEP * T::PIECES;
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
                for piece in 0..T::PIECES {
                    let (low, high) = (leading(even), leading(odd));
                    let tile = 2 * (step + piece) + half;
                    // SAFETY: the caller promises room for all tiles.
                    unsafe {
                        let to = room.add(tile * TILE_LEN + row % STEP / 2 * STEP);
                        _mm512_store_si512(to.cast(), pairs(low, high));
                    }
                    even = _mm512_sub_ps(even, without_rest(low));
                    odd = _mm512_sub_ps(odd, without_rest(high));
                }
            }
        }
    }
}

impl Weights for Codes {
    const PIECES: usize = 1;
    const ROW_PIECES: usize = 1;

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
        room: *mut bf16,
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
                // Codes less 128, the four of a lane in the upper byte one after another.
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
                let to = room.add((2 * step + half) * TILE_LEN + 2 * group * STEP);
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

/// Rows of a matrix, taken apart.
#[derive(Debug, Default)]
pub(crate) struct SplitRows {
    /// `(rows / 16, columns / 32, piece, 16, 32)`
    tiles: Aligned<bf16>,
    rows: usize,
    columns: usize,
    pieces: usize,
}

impl SplitRows {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes rows apart, into as many pieces as products with `B` want. `simd`
    /// is the proof that the unit is there.
    #[inline(always)]
    pub(crate) fn split<B: Weights>(&mut self, simd: Avx512, rows: Rows<'_>, _for: &B) {
        self.pieces = B::ROW_PIECES;
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
                let tile = (row / TILE * steps + step) * self.pieces;
                // SAFETY: `values` has at least 32 numbers, and `tiles` room
                // for all rows, steps and pieces.
                unsafe {
                    let left = _mm512_loadu_ps(values.as_ptr());
                    let right = _mm512_loadu_ps(values.as_ptr().add(TILE));
                    let to = tiles.add(tile * TILE_LEN + row % TILE * STEP);
                    store_pieces(left, right, self.pieces, to);
                }
            }
        }
    }

    /// Makes room for rows in `self.pieces`.
    #[inline(always)]
    fn reshape(&mut self, rows: usize, columns: usize) -> *mut bf16 {
        (self.rows, self.columns) = (rows, columns);
        let tiles = rows.div_ceil(TILE) * columns.div_ceil(STEP) * self.pieces;
        self.tiles.resize(tiles * TILE_LEN).as_mut_ptr()
    }
}

/// Writes the pieces of 32 numbers, a tile apart.
///
/// # Safety
///
/// `to` has room for as many pieces, and its lines are aligned.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vnni")]
unsafe fn store_pieces(mut left: __m512, mut right: __m512, pieces: usize, to: *mut bf16) {
    for piece in 0..pieces {
        let (a, b) = (leading(left), leading(right));
        // SAFETY: the indices are a whole vector, aligned; the rest is the
        // caller's promise.
        unsafe {
            let upper = _mm512_load_si512(UPPER.0.as_ptr().cast());
            let both = _mm512_permutex2var_epi16(a, upper, b);
            _mm512_store_si512(to.add(piece * TILE_LEN).cast(), both);
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

/// The number that the upper halves say.
#[target_feature(enable = "avx512f")]
fn without_rest(bits: __m512i) -> __m512 {
    _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(!0xffff)))
}

/// As [`panels::accumulate`](super::panels::accumulate), for rows taken apart.
/// `inputs` of codes start and end at whole blocks.
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
pub(crate) fn set<B: Weights>(
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

/// Whether products with so many inputs are done at once: only such can be
/// taken apart as they are finished.
pub(crate) fn is_one_block(inputs: usize) -> bool {
    inputs <= DEPTH
}

/// As [`set`], the result taken apart for a product with `_next`.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn set_split<B: Weights, C: Weights>(
    simd: Avx512,
    a: &SplitRows,
    b: &B,
    panels: Range<usize>,
    (bias, activation): (&[f32], Activation),
    out: &mut SplitRows,
    _next: &C,
) {
    out.pieces = C::ROW_PIECES;
    let tiles = out.reshape(a.rows, bias.len());
    let work = Work {
        a,
        b,
        inputs: 0..b.inputs(),
        panels,
        bias: Some(bias),
        activation,
        target: Target::Tiles(tiles, bias.len().div_ceil(STEP), C::ROW_PIECES),
        shape: (a.rows, bias.len()),
    };
    // SAFETY: `reshape` made room for these rows and columns.
    unsafe { work.run(simd) }
}

/// Where a product goes.
#[derive(Clone, Copy)]
enum Target {
    /// Rows, this many numbers apart.
    Rows(*mut f32, usize),
    /// Rows taken apart: `(rows / 16, steps, pieces, 16, 32)`.
    Tiles(*mut bf16, usize, usize),
}

/// A product, what follows it, and where that goes.
struct Work<'a, B> {
    a: &'a SplitRows,
    b: &'a B,
    inputs: Range<usize>,
    panels: Range<usize>,
    /// What to add to the sums, one value a column; without it, what is there.
    bias: Option<&'a [f32]>,
    activation: Activation,
    target: Target,
    /// Rows and columns of the target.
    shape: (usize, usize),
}

impl<B: Weights> Work<'_, B> {
    /// # Safety
    ///
    /// The target has its shape, and nobody else looks at it.
    #[inline(always)]
    unsafe fn run(self, simd: Avx512) {
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
                && a.pieces == B::ROW_PIECES
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

    /// While the matrix unit multiplies, the vector units finish the sums before
    /// these and take the next weights apart.
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
        let mut rooms = [const { Room(MaybeUninit::uninit()) }; 2];
        let rooms = rooms.each_mut().map(|room| room.0.as_mut_ptr().cast());
        let mut sums = [const { Sums(MaybeUninit::uninit()) }; 2];
        let sums = sums.each_mut().map(|sums| sums.0.as_mut_ptr().cast());
        let all_steps = a.columns.div_ceil(STEP);
        let deep = inputs.len().div_ceil(DEPTH);
        // A result that is taken apart cannot be added to.
        assert!(deep == 1 || matches!(target, Target::Rows(..)));
        let blocks = panels.len() * deep;
        let splitting = |block: usize| {
            let first = inputs.start + block % deep * DEPTH;
            Splitting {
                weight: b,
                panel: panels.start + block / deep,
                inputs: first..inputs.end.min(first + DEPTH),
                room: rooms[block % 2],
                done: 0,
            }
        };
        let mut next = (blocks > 0).then(|| splitting(0));
        let mut finished = None::<Finished>;
        let mut turn = 0;
        let _tiles = Configured::new();
        for block in 0..blocks {
            let mut current = next.take().expect("there is one for each block");
            // SAFETY: the caller's promise; a room has room for a whole block.
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
                        a: a.tiles.as_ptr().add(step * a.pieces * TILE_LEN),
                        next_a: all_steps * a.pieces * TILE_LEN,
                        b: current.room,
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
                            Target::Tiles(tiles, steps, pieces) => {
                                let tile = (row / TILE * steps + panel) * pieces;
                                Target::Tiles(tiles.add(tile * TILE_LEN), steps, pieces)
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

/// A block of weights that is being taken apart.
struct Splitting<'a, B> {
    weight: &'a B,
    panel: usize,
    inputs: Range<usize>,
    room: *mut bf16,
    /// In fours of rows.
    done: usize,
}

impl<B: Weights> Splitting<'_, B> {
    /// Takes `count` more fours of rows apart, if there are as many.
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
                    .split(simd, self.panel, &self.inputs, four, self.room)
            };
        }
        self.done = end;
    }
}

/// Sums of two rows of tiles. They start from zero and are added to the result
/// once: a large number there would swallow the last bits of each.
#[repr(align(64))]
struct Sums(MaybeUninit<[f32; 2 * TILE * PANEL]>);

/// Sums that are on their way to the result.
struct Finished {
    /// Rows of 32 numbers.
    sums: *const f32,
    /// What to add the sums to, a row; the result itself if there is none.
    bias: Option<*const f32>,
    target: Target,
    rows: usize,
    columns: usize,
    /// What follows the sum.
    activation: Activation,
    /// In rows.
    done: usize,
}

impl Finished {
    /// Finishes `count` more rows, if there are as many.
    ///
    /// # Safety
    ///
    /// The pointers have what the fields say, and nobody else looks at the
    /// result. One that is taken apart needs a bias.
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
                    Target::Tiles(tiles, steps, pieces) => {
                        let tile = row / TILE * steps * pieces;
                        let to = tiles.add(tile * TILE_LEN + row % TILE * STEP);
                        store_pieces(left, right, pieces, to);
                    }
                }
            }
        }
        self.done = end;
    }
}

/// Room for a block of a panel, taken apart.
#[repr(align(64))]
struct Room(MaybeUninit<[bf16; DEPTH * PANEL * PIECES]>);

/// The shape of all tiles, as the CPU wants to be told it.
#[repr(C, align(64))]
struct Configuration([u8; 64]);

/// The tiles in use, until dropped.
struct Configured;

impl Configured {
    fn new() -> Self {
        const ALL: Configuration = {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            let mut tile = 0;
            while tile < 8 {
                bytes[16 + 2 * tile] = 64;
                bytes[48 + tile] = TILE as u8;
                tile += 1;
            }
            Configuration(bytes)
        };
        // SAFETY: the caller has detected the unit; no other code of this
        // thread runs while tiles hold anything.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &ALL, options(nostack, readonly)) };
        Self
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// `out = a · b` for 16 or 32 rows and 32 columns.
struct Product {
    /// `steps` steps of the first 16 rows.
    a: *const bf16,
    /// From there to the next 16 rows.
    next_a: usize,
    /// `steps` steps of weights.
    b: *const bf16,
    steps: usize,
    /// Rows of 32 numbers.
    out: *mut f32,
}

/// Tiles 4 and 5 take a piece of the weights.
macro_rules! weights {
    ($at:literal) => {
        concat!(
            "tileloadd tmm4, [{b} + {line} + ",
            $at,
            "]\n",
            "tileloadd tmm5, [{b} + {line} + ",
            $at,
            " + 1024]\n"
        )
    };
}

/// Tiles 0 and 1 get a piece of the first 16 rows times those.
macro_rules! upper {
    ($at:literal) => {
        concat!(
            "tileloadd tmm6, [{a} + {line} + ",
            $at,
            "]\n",
            "tdpbf16ps tmm0, tmm6, tmm4\n",
            "tdpbf16ps tmm1, tmm6, tmm5\n"
        )
    };
}

/// Tiles 2 and 3 get a piece of the other 16 rows times those.
macro_rules! lower {
    ($at:literal) => {
        concat!(
            "tileloadd tmm7, [{a2} + {line} + ",
            $at,
            "]\n",
            "tdpbf16ps tmm2, tmm7, tmm4\n",
            "tdpbf16ps tmm3, tmm7, tmm5\n"
        )
    };
}

/// A step of one row of tiles.
macro_rules! one {
    ($a:ident, $b:ident, $($body:expr),+) => {
        asm!(
            $($body,)+
            a = in(reg) $a,
            b = in(reg) $b,
            line = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
            options(nostack, readonly, preserves_flags)
        )
    };
}

/// A step of two rows of tiles.
macro_rules! two {
    ($self:ident, $a:ident, $b:ident, $($body:expr),+) => {
        asm!(
            $($body,)+
            a = in(reg) $a,
            a2 = in(reg) $a.wrapping_add($self.next_a),
            b = in(reg) $b,
            line = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly, preserves_flags)
        )
    };
}

impl Product {
    /// Computes `tiles` times 16 rows, the sums in tiles 0 to 3, and calls
    /// `meanwhile` after each step.
    ///
    /// # Safety
    ///
    /// Tiles are configured, all pointers have what the fields say, and
    /// `meanwhile` does not touch tiles.
    #[inline(always)]
    unsafe fn run<B: Weights>(&self, tiles: usize, mut meanwhile: impl FnMut()) {
        // SAFETY: the caller's promise. Between these blocks the sums stay in
        // the tiles, of which only these blocks know.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                options(nostack, nomem, preserves_flags)
            );
            for step in 0..self.steps {
                let a = self.a.add(step * B::ROW_PIECES * TILE_LEN);
                let b = self.b.add(step * B::PIECES * 2 * TILE_LEN);
                self.step::<B>(a, b, tiles);
                meanwhile();
            }
            asm!(
                "tilestored [{out} + {stride}], tmm0",
                "tilestored [{out} + {stride} + 64], tmm1",
                out = in(reg) self.out,
                stride = in(reg) PANEL * size_of::<f32>(),
                options(nostack, preserves_flags)
            );
            if tiles > 1 {
                asm!(
                    "tilestored [{out} + {stride} + 2048], tmm2",
                    "tilestored [{out} + {stride} + 2112], tmm3",
                    out = in(reg) self.out,
                    stride = in(reg) PANEL * size_of::<f32>(),
                    options(nostack, preserves_flags)
                );
            }
        }
    }

    /// Adds 32 columns of `a` times 32 rows of `b`. Of rows in three pieces, the
    /// first `3 - i` are multiplied with piece number `i` of the weights.
    #[rustfmt::skip]
    #[inline(always)]
    unsafe fn step<B: Weights>(&self, a: *const bf16, b: *const bf16, tiles: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match (tiles, B::ROW_PIECES, B::PIECES) {
                (1, 1, _) => one!(
                    a, b,
                    weights!(0), upper!(0)
                ),
                (1, _, 1) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048)
                ),
                (1, _, 2) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048),
                    weights!(2048), upper!(0), upper!(1024)
                ),
                (1, _, _) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048),
                    weights!(2048), upper!(0), upper!(1024),
                    weights!(4096), upper!(0)
                ),
                (_, 1, _) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0)
                ),
                (_, _, 1) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048)
                ),
                (_, _, 2) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048),
                    weights!(2048), upper!(0), lower!(0), upper!(1024), lower!(1024)
                ),
                (_, _, _) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048),
                    weights!(2048), upper!(0), lower!(0), upper!(1024), lower!(1024),
                    weights!(4096), upper!(0), lower!(0)
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
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
    fn a_result_taken_apart_is_the_result_taken_apart() {
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
            set(simd, &split, &b, 0..b.count(), after, &mut view);
            let (mut right, mut found) = (SplitRows::default(), SplitRows::default());
            right.split(simd, Rows::dense(&out, rows, outputs), &b);
            set_split(simd, &split, &b, 0..b.count(), after, &mut found, &b);
            assert_eq!((found.rows, found.columns), (rows, outputs));
            let tiles = outputs.div_ceil(STEP) * PIECES;
            for row in 0..rows {
                for tile in 0..tiles {
                    let at = (row / TILE * tiles + tile) * TILE_LEN + row % TILE * STEP;
                    assert_eq!(found.tiles[at..][..STEP], right.tiles[at..][..STEP]);
                }
            }
        }
    }

    #[test]
    fn codes_are_multiplied_as_what_they_stand_for() {
        let Some(simd) = Avx512::with_tiles() else {
            return;
        };
        for (rows, inputs, outputs) in [(16, 32, 32), (37, 75, 45), (48, 1100, 64)] {
            let weight = random(outputs * inputs, 1);
            let b = Codes::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
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
