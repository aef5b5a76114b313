//! The register tile: the inner loop of every product of floats. It keeps the sums of some rows
//! and two vectors of columns in registers while it passes over a block of a panel.

use std::ops::Range;

use super::matrix::RowsMut;
use super::panels::{Element, PANEL};
use crate::backend::cpu::simd::{Kernel, Simd};

/// Rows of a panel in a block: as `f32` they stay in the first-level cache (32 KiB) while all
/// register tiles pass over them.
pub(super) const DEPTH: usize = 256;

/// How the rows of a tile lie in memory.
pub(super) trait Layout: Copy {
    /// The index of the value in row `row` and column `column` of a tile.
    fn index<S: Simd>(self, row: usize, column: usize) -> usize;
}

/// One row after the other, this far apart.
#[derive(Clone, Copy)]
pub(super) struct RowMajor(pub(super) usize);

impl Layout for RowMajor {
    #[inline(always)]
    fn index<S: Simd>(self, row: usize, column: usize) -> usize {
        row * self.0 + column
    }
}

/// One column after the other, each of a whole tile's height.
#[derive(Clone, Copy)]
pub(super) struct ColumnMajor;

impl Layout for ColumnMajor {
    #[inline(always)]
    fn index<S: Simd>(self, row: usize, column: usize) -> usize {
        column * S::TILE_ROWS + row
    }
}

/// A product of rows and a block of a panel. Its creator guarantees that the pointers have what
/// the fields say.
#[derive(Clone, Copy)]
pub(super) struct BlockProduct<L, T> {
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// Tiles of `rows` rows and `depth` columns, `a_step` values apart.
    pub(super) a: *const f32,
    pub(super) a_step: usize,
    pub(super) layout: L,
    /// `depth` rows of [`PANEL`] values.
    pub(super) b: *const T,
}

impl<L: Layout, T: Element> BlockProduct<L, T> {
    /// `out[.., columns] += a · b`, where `columns` are the first columns of the panel.
    ///
    /// # Safety
    ///
    /// `out` must have as many rows, and these columns.
    #[inline(always)]
    pub(super) unsafe fn add_to<S: Simd>(
        self,
        simd: S,
        out: &mut RowsMut<'_>,
        columns: Range<usize>,
    ) {
        debug_assert!(out.rows == self.rows && columns.end <= out.columns);
        let width = 2 * S::LANES;
        for start in (0..columns.len()).step_by(width) {
            for row in (0..self.rows).step_by(S::TILE_ROWS) {
                // SAFETY: row and column are in bounds by the promise of who made the product and
                // of the caller; a panel has all its 32 columns in memory.
                unsafe {
                    let tile = Tile {
                        rows: S::TILE_ROWS.min(self.rows - row),
                        depth: self.depth,
                        a: self.a.add(row / S::TILE_ROWS * self.a_step),
                        layout: self.layout,
                        b: self.b.add(start),
                        out: out.as_ptr().add(row * out.stride + columns.start + start),
                        out_stride: out.stride,
                    };
                    if start + width <= columns.len() {
                        simd.call(tile);
                    } else {
                        narrow(simd, tile, columns.len() - start);
                    }
                }
            }
        }
    }
}

/// A tile of `out += a · b`: `rows` rows and two vectors of columns. Its creator guarantees that
/// its pointers have what the fields say, and that nothing else accesses `out`.
#[derive(Clone, Copy)]
struct Tile<L, T> {
    rows: usize,
    depth: usize,
    /// `rows` rows of `depth` values.
    a: *const f32,
    layout: L,
    /// `depth` rows of [`PANEL`] values.
    b: *const T,
    out: *mut f32,
    out_stride: usize,
}

/// Computes a tile of which only `columns` columns exist in `out`.
///
/// # Safety
///
/// As for the tile, but for the missing columns.
#[inline(always)]
unsafe fn narrow<S: Simd, L: Layout, T: Element>(simd: S, tile: Tile<L, T>, columns: usize) {
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

impl<L: Layout, T: Element> Kernel for Tile<L, T> {
    type Output = ();

    /// Computes the tile, its sums in registers.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        macro_rules! choose {
            ($($rows:literal)*) => {
                match self.rows {
                    // SAFETY: the promise of who made the tile.
                    $($rows if const { $rows <= S::TILE_ROWS } => unsafe { fixed_tile::<S, L, T, $rows>(simd, self) },)*
                    _ => unreachable!("tiles have at most {} rows", S::TILE_ROWS),
                }
            };
        }
        choose!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    }
}

/// Maximum rows of a tile that is memory-bound and prefetches [`AHEAD`].
pub(super) const FEW: usize = 4;
/// Prefetch distance in bytes: over the next page, since the CPU's own prefetchers stop at a page's
/// end. Into the second-level cache: the first has too few lines in flight at a time.
pub(super) const AHEAD: usize = 8192;

#[inline(always)]
unsafe fn fixed_tile<S: Simd, L: Layout, T: Element, const M: usize>(simd: S, tile: Tile<L, T>) {
    let mut sums = [[simd.splat(0.0); 2]; M];
    // SAFETY: all offsets are within what the caller promises.
    unsafe {
        for k in 0..tile.depth {
            let b = tile.b.add(k * PANEL);
            if M <= FEW {
                simd.prefetch(b.wrapping_byte_add(AHEAD).cast());
            }
            let (left, right) = (T::load(simd, b), T::load(simd, b.add(S::LANES)));
            for (m, sums) in sums.iter_mut().enumerate() {
                let a = simd.splat(*tile.a.add(tile.layout.index::<S>(m, k)));
                sums[0] = simd.mul_add(a, left, sums[0]);
                sums[1] = simd.mul_add(a, right, sums[1]);
            }
        }
        add_sums(simd, &sums, (tile.out, tile.out_stride));
    }
}
