//! Matrices packed in panels of 32 columns, the layout that [`accumulate`] reads: a panel holds 32
//! adjacent columns row after row, so that a product reads memory in one direction.
//!
//! One layout serves products of thousands of rows and of one: only the height of the register tile
//! differs. Numbers are stored in the narrowest exact float type and widened, which is exact, on
//! load: products of few rows are memory-bound.

use std::mem::MaybeUninit;
use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::aligned::{Aligned, Plain};
use super::matrix::{Rows, RowsMut};
use crate::backend::cpu::simd::{Kernel, Simd};

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;

/// Rows of a panel that stay in the first-level cache (32 KiB) while all row
/// tiles pass over them.
const DEPTH: usize = 256;

/// An element type of panels.
pub(crate) trait Element: Plain + Default {
    /// Number of `bf16` components whose sum is any of these exactly.
    const COMPONENTS: usize;

    /// Narrows values; `false` if one changed. `back` is scratch of the same length.
    fn narrow(from: &[f32], to: &mut [Self], back: &mut [f32]) -> bool;

    fn widen(self) -> f32;

    /// Loads a vector of numbers, widened.
    ///
    /// # Safety
    ///
    /// `from` must be readable for as many values as a vector has lanes.
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F;

    fn columns(pointer: *const Self) -> Columns;
}

impl Element for f32 {
    const COMPONENTS: usize = 3;

    fn narrow(from: &[f32], to: &mut [Self], _back: &mut [f32]) -> bool {
        to.copy_from_slice(from);
        true
    }

    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
        // SAFETY: the caller's promise is the same.
        unsafe { simd.load(from) }
    }

    #[inline(always)]
    fn columns(pointer: *const Self) -> Columns {
        Columns::F32(pointer)
    }
}

/// The two half types differ in their precision alone.
macro_rules! half_element {
    ($half:ident, $components:literal, $load:ident, $columns:ident) => {
        impl Element for $half {
            const COMPONENTS: usize = $components;

            fn narrow(from: &[f32], to: &mut [Self], back: &mut [f32]) -> bool {
                to.convert_from_f32_slice(from);
                to.convert_to_f32_slice(back);
                from == back
            }

            fn widen(self) -> f32 {
                self.to_f32()
            }

            #[inline(always)]
            unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
                // SAFETY: the caller's promise is the same.
                unsafe { simd.$load(from) }
            }

            #[inline(always)]
            fn columns(pointer: *const Self) -> Columns {
                Columns::$columns(pointer)
            }
        }
    };
}

half_element!(f16, 2, load_f16, F16);
half_element!(bf16, 1, load_bf16, BF16);

/// A matrix of `inputs` rows and `outputs` columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panels<T = f32> {
    values: Aligned<T>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// Why a weight was not packed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PackError<E> {
    /// A number would change.
    Inexact,
    /// It could not be read.
    Read(E),
}

impl<T: Element> Panels<T> {
    /// Packs a weight `(outputs, inputs)` on all threads; `read` writes some of its rows.
    ///
    /// # Errors
    ///
    /// The first that `read` gives, or that a number cannot be kept exactly.
    pub(crate) fn pack<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, PackError<E>> {
        let panels = outputs.div_ceil(PANEL);
        let values = Aligned::from_chunks(panels, inputs * PANEL, |panel, values: &mut [T]| {
            let rows = panel * PANEL..outputs.min((panel + 1) * PANEL);
            let mut lines = vec![0.0; rows.len() * inputs];
            read(rows, &mut lines).map_err(PackError::Read)?;
            let mut narrow = vec![T::default(); inputs];
            let mut back = vec![0.0; inputs];
            for (column, line) in lines.chunks_exact(inputs).enumerate() {
                if !T::narrow(line, &mut narrow, &mut back) {
                    return Err(PackError::Inexact);
                }
                for (to, &from) in values.chunks_exact_mut(PANEL).zip(&narrow) {
                    to[column] = from;
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

    pub(super) fn panel(&self, panel: usize) -> &[T] {
        let len = self.inputs * PANEL;
        &self.values[panel * len..][..len]
    }

    /// Copies column `column` to `out`, one value an input.
    pub(crate) fn column(&self, column: usize, out: &mut [f32]) {
        let panel = self.panel(column / PANEL);
        for (to, from) in out.iter_mut().zip(panel.chunks_exact(PANEL)) {
            *to = from[column % PANEL].widen();
        }
    }
}

impl Panels<f32> {
    pub(crate) fn zeroed(inputs: usize, outputs: usize) -> Self {
        Self {
            values: Aligned::zeroed(outputs.div_ceil(PANEL) * inputs * PANEL),
            inputs,
            outputs,
        }
    }

    /// Changes the shape; the values are unspecified afterwards.
    pub(crate) fn reshape(&mut self, inputs: usize, outputs: usize) {
        self.values.resize(outputs.div_ceil(PANEL) * inputs * PANEL);
        (self.inputs, self.outputs) = (inputs, outputs);
    }

    /// All rows of one panel.
    pub(crate) fn panel_mut(&mut self, panel: usize) -> &mut [f32] {
        let len = self.inputs * PANEL;
        &mut self.values[panel * len..][..len]
    }
}

/// `out += a · b[inputs, columns of panels]`: the columns of `a` are the rows
/// `inputs` of `b`, the columns of `out` those of `panels`, with or without the
/// padding of the last one.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, T: Element>(
    simd: S,
    a: Rows<'_>,
    b: &Panels<T>,
    inputs: Range<usize>,
    panels: Range<usize>,
    out: &mut RowsMut<'_>,
) {
    assert!(
        a.columns == inputs.len()
            && inputs.end <= b.inputs
            && panels.end <= b.count()
            && out.rows == a.rows
            && fits(&panels, b.outputs, out.columns),
        "accumulate: {} rows of {} · {}×{}[{inputs:?}, {panels:?}] into {out:?}",
        a.rows,
        a.columns,
        b.inputs,
        b.outputs
    );
    let width = 2 * S::LANES;
    let mut buffer = Block(MaybeUninit::uninit());
    for (index, panel) in panels.enumerate() {
        let values = b.panel(panel);
        let end = out.columns.min((index + 1) * PANEL);
        for start in inputs.clone().step_by(DEPTH) {
            let depth = DEPTH.min(inputs.end - start);
            let block = &values[start * PANEL..][..depth * PANEL];
            // Several tiles read the block: widen it once for all of them.
            let block = if a.rows > S::TILE_ROWS && size_of::<T>() < size_of::<f32>() {
                Columns::F32(widen(simd, block, &mut buffer))
            } else {
                T::columns(block.as_ptr())
            };
            for column in (index * PANEL..end).step_by(width) {
                for row in (0..a.rows).step_by(S::TILE_ROWS) {
                    // SAFETY: `row`, `start + depth` and `column` are in bounds
                    // by the assertion above; a panel has all its 32 columns
                    // in memory.
                    unsafe {
                        let tile = Tile {
                            rows: S::TILE_ROWS.min(a.rows - row),
                            depth,
                            a: a.as_ptr().add(row * a.stride + start - inputs.start),
                            a_stride: a.stride,
                            b: block.add(column % PANEL),
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
}

/// Scratch buffer for the rows of a panel that tiles pass over, as `f32`.
#[repr(align(64))]
struct Block(MaybeUninit<[f32; DEPTH * PANEL]>);

#[inline(always)]
fn widen<S: Simd, T: Element>(simd: S, values: &[T], buffer: &mut Block) -> *const f32 {
    assert!(values.len() <= DEPTH * PANEL);
    let to = buffer.0.as_mut_ptr().cast::<f32>();
    for at in (0..values.len()).step_by(S::LANES) {
        // SAFETY: panels are whole vectors, and `buffer` has as many values.
        unsafe { simd.store(to.add(at), T::load(simd, values.as_ptr().add(at))) };
    }
    to
}

/// Whether `columns` are those of `panels`, with or without padding.
#[inline(always)]
pub(super) fn fits(panels: &Range<usize>, outputs: usize, columns: usize) -> bool {
    let end = outputs.min(panels.end * PANEL);
    columns == end.saturating_sub(panels.start * PANEL) || columns == panels.len() * PANEL
}

/// A tile of `out += a · b`: `rows` rows and two vectors of columns. Its creator guarantees that
/// its pointers have what the fields say, and that nothing else accesses `out`.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    depth: usize,
    /// `rows` rows of `depth` values.
    a: *const f32,
    a_stride: usize,
    /// `depth` rows of [`PANEL`] values.
    b: Columns,
    out: *mut f32,
    out_stride: usize,
}

/// Pointers to the columns of a tile, by element type.
#[derive(Clone, Copy)]
pub(crate) enum Columns {
    F32(*const f32),
    F16(*const f16),
    BF16(*const bf16),
}

impl Columns {
    /// # Safety
    ///
    /// There must be `count` more columns.
    #[inline(always)]
    unsafe fn add(self, count: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::F32(pointer) => Self::F32(pointer.add(count)),
                Self::F16(pointer) => Self::F16(pointer.add(count)),
                Self::BF16(pointer) => Self::BF16(pointer.add(count)),
            }
        }
    }
}

/// Computes a tile of which only `columns` columns exist in `out`.
///
/// # Safety
///
/// As for the tile, but for the missing columns.
#[inline(always)]
unsafe fn narrow<S: Simd>(simd: S, tile: Tile, columns: usize) {
    let mut whole = [0.0; 16 * PANEL];
    // `whole` has room for 16 rows; the rest is the caller's promise.
    simd.call(Tile {
        out: whole.as_mut_ptr(),
        out_stride: PANEL,
        ..tile
    });
    // SAFETY: the caller promises these rows and columns.
    unsafe { add_columns(&whole, (tile.rows, columns), (tile.out, tile.out_stride)) };
}

/// Adds the first rows and columns of a whole tile to `out`.
///
/// # Safety
///
/// `out` has that many rows and columns, its stride apart, and nothing else accesses them.
#[inline(always)]
pub(super) unsafe fn add_columns(
    whole: &[f32],
    (rows, columns): (usize, usize),
    (out, stride): (*mut f32, usize),
) {
    for (row, values) in whole.chunks_exact(PANEL).take(rows).enumerate() {
        for (column, value) in values[..columns].iter().enumerate() {
            // SAFETY: the caller promises these columns.
            unsafe { *out.add(row * stride + column) += value };
        }
    }
}

/// Adds the sums of a tile to `out`.
///
/// # Safety
///
/// `out` has a row of two vectors for each of `sums`, its stride apart, and nothing else accesses
/// them.
#[inline(always)]
pub(super) unsafe fn add_sums<S: Simd>(
    simd: S,
    sums: &[[S::F; 2]],
    (out, stride): (*mut f32, usize),
) {
    for (m, sums) in sums.iter().enumerate() {
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: the caller promises these rows.
            unsafe {
                let to = out.add(m * stride + v * S::LANES);
                simd.store(to, simd.add(simd.load(to), sum));
            }
        }
    }
}

impl Kernel for Tile {
    type Output = ();

    /// Computes the tile, its sums in registers.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: the promise of who made the tile.
        unsafe {
            match self.b {
                Columns::F32(b) => typed_tile(simd, self, b),
                Columns::F16(b) => typed_tile(simd, self, b),
                Columns::BF16(b) => typed_tile(simd, self, b),
            }
        }
    }
}

#[inline(always)]
unsafe fn typed_tile<S: Simd, T: Element>(simd: S, tile: Tile, b: *const T) {
    macro_rules! choose {
        ($($rows:literal)*) => {
            match tile.rows {
                // SAFETY: the caller's promise is the same.
                $($rows if const { $rows <= S::TILE_ROWS } => unsafe { fixed_tile::<S, T, $rows>(simd, tile, b) },)*
                _ => unreachable!("tiles have at most {} rows", S::TILE_ROWS),
            }
        };
    }
    choose!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

/// Maximum rows of a tile that is memory-bound and prefetches [`AHEAD`].
pub(super) const FEW: usize = 4;
/// Prefetch distance in bytes: over the next page, since the CPU's own prefetchers stop at a page's
/// end. Into the second-level cache: the first has too few lines in flight at a time.
pub(super) const AHEAD: usize = 8192;

#[inline(always)]
unsafe fn fixed_tile<S: Simd, T: Element, const M: usize>(simd: S, tile: Tile, b: *const T) {
    let mut sums = [[simd.splat(0.0); 2]; M];
    // SAFETY: all offsets are within what the caller promises.
    unsafe {
        for k in 0..tile.depth {
            if M <= FEW {
                simd.prefetch(b.wrapping_add(k * PANEL).wrapping_byte_add(AHEAD).cast());
            }
            let left = T::load(simd, b.add(k * PANEL));
            let right = T::load(simd, b.add(k * PANEL + S::LANES));
            for (m, sums) in sums.iter_mut().enumerate() {
                let a = simd.splat(*tile.a.add(m * tile.a_stride + k));
                sums[0] = simd.mul_add(a, left, sums[0]);
                sums[1] = simd.mul_add(a, right, sums[1]);
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
        b: &'a Panels,
        inputs: Range<usize>,
        panels: Range<usize>,
        out: RowsMut<'a>,
    }

    impl Kernel for Product<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let mut out = self.out;
            accumulate(simd, self.a, self.b, self.inputs, self.panels, &mut out);
        }
    }

    #[test]
    fn is_the_sum_of_products_for_every_height_and_width() {
        for isa in Isa::all() {
            for (rows, inputs, outputs) in [
                (1, 1, 1),
                (3, 7, 33),
                (14, 300, 32),
                (15, 31, 100),
                (29, 513, 47),
                (5, 64, 80),
            ] {
                let weight = random(outputs * inputs, 1);
                let b = Panels::<f32>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
                let a = random(rows * inputs, 2);
                let mut out = random(rows * outputs, 3);
                let mut slow = out.clone();
                for row in 0..rows {
                    for column in 0..outputs {
                        slow[row * outputs + column] += (0..inputs)
                            .map(|k| a[row * inputs + k] * weight[column * inputs + k])
                            .sum::<f32>();
                    }
                }
                isa.run(Product {
                    a: Rows::dense(&a, rows, inputs),
                    b: &b,
                    inputs: 0..inputs,
                    panels: 0..b.count(),
                    out: RowsMut::dense(&mut out, rows, outputs),
                });
                close(&out, &slow, 1e-4);
                let mut column = vec![0.0; inputs];
                b.column(outputs - 1, &mut column);
                assert_eq!(column, weight[(outputs - 1) * inputs..]);
            }
        }
    }

    #[test]
    fn a_part_of_the_inputs_and_panels_is_only_that_part() {
        let (rows, inputs, outputs) = (4, 96, 70);
        let weight = random(outputs * inputs, 1);
        let b = Panels::<f32>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
        let a = random(rows * 40, 2);
        for isa in Isa::all() {
            let columns = outputs - PANEL;
            let mut out = vec![0.0; rows * columns];
            isa.run(Product {
                a: Rows::new(&a, rows, 32, 40),
                b: &b,
                inputs: 10..42,
                panels: 1..3,
                out: RowsMut::dense(&mut out, rows, columns),
            });
            for row in 0..rows {
                for column in 0..columns {
                    let weight = &weight[(column + PANEL) * inputs + 10..];
                    let right = (0..32).map(|k| a[row * 40 + k] * weight[k]).sum::<f32>();
                    assert!((out[row * columns + column] - right).abs() < 1e-5);
                }
            }
        }
    }

    fn product<T: Element>(isa: Isa, weight: &[f32], a: &[f32], outputs: usize) -> Vec<f32> {
        struct Whole<'a, T>(Rows<'a>, &'a Panels<T>, RowsMut<'a>);
        impl<T: Element> Kernel for Whole<'_, T> {
            type Output = ();
            #[inline(always)]
            fn run<S: Simd>(mut self, simd: S) {
                let (inputs, panels) = (0..self.1.inputs, 0..self.1.count());
                accumulate(simd, self.0, self.1, inputs, panels, &mut self.2);
            }
        }
        let inputs = weight.len() / outputs;
        let b = Panels::<T>::pack(outputs, inputs, rows_of(weight, inputs)).unwrap();
        let rows = a.len() / inputs;
        let mut out = vec![0.0; rows * outputs];
        let (a, view) = (
            Rows::dense(a, rows, inputs),
            RowsMut::dense(&mut out, rows, outputs),
        );
        isa.run(Whole(a, &b, view));
        out
    }

    #[test]
    fn narrow_numbers_give_the_same_bits() {
        let (inputs, outputs) = (300, 75);
        let halves = random(outputs * inputs, 1);
        let halves = halves.iter().map(|&v| f16::from_f32(v * 1e-4).to_f32());
        let halves = halves.collect::<Vec<_>>();
        let brains = halves.iter().map(|&v| bf16::from_f32(v * 1e30).to_f32());
        let brains = brains.collect::<Vec<_>>();
        for isa in Isa::all() {
            for rows in [1, 3, 14, 40] {
                let a = random(rows * inputs, 2);
                let wide = product::<f32>(isa, &halves, &a, outputs);
                assert_eq!(product::<f16>(isa, &halves, &a, outputs), wide, "{isa:?}");
                let wide = product::<f32>(isa, &brains, &a, outputs);
                assert_eq!(product::<bf16>(isa, &brains, &a, outputs), wide, "{isa:?}");
            }
        }
    }

    #[test]
    fn numbers_that_would_change_are_refused() {
        let pack = |value: f32| Panels::<f16>::pack(1, 2, rows_of(&[1.0, value], 2)).map(|_| ());
        assert_eq!(pack(-0.5), Ok(()));
        for odd in [0.1, 1e-9, 70_000.0] {
            assert_eq!(pack(odd), Err(PackError::Inexact));
        }
    }
}
