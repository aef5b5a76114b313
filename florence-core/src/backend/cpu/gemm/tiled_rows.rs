//! Products of many rows, packed in tiles: a register tile then reads one run of memory instead of
//! rows far apart, whose cache lines would evict each other where their distance is a power of two.
//! Weights of any format become `f32` a block at a time, once for all tiles.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::aligned::Aligned;
use super::matrix::{Rows, RowsMut};
use super::panels::{Element, PANEL, Panels};
use super::product::fits;
use super::register_tile::{BlockProduct, ColumnMajor, DEPTH};
use crate::backend::cpu::simd::Simd;

/// Rows in tiles of a register tile's height, each column after column. The missing rows of the
/// last tile are unspecified.
#[derive(Debug, Default)]
pub(crate) struct TiledRows {
    values: Aligned<f32>,
    rows: usize,
    columns: usize,
}

impl TiledRows {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    #[inline(always)]
    pub(crate) fn pack<S: Simd>(&mut self, simd: S, a: Rows<'_>) {
        (self.rows, self.columns) = (a.rows, a.columns);
        // A vector is longer than a column of a tile: the last one needs room.
        let room = a.rows.next_multiple_of(S::TILE_ROWS) * a.columns + S::LANES;
        let values = self.values.resize(room).as_mut_ptr();
        for first in (0..a.rows).step_by(S::TILE_ROWS) {
            let tile = a.part(first, S::TILE_ROWS.min(a.rows - first));
            // SAFETY: tiles are written in order, and there is room after the last.
            unsafe { tile.write_columns(simd, values.add(first * a.columns), S::TILE_ROWS) };
        }
    }
}

/// Room for a block as `f32`.
#[repr(align(64))]
struct Wide([MaybeUninit<f32>; DEPTH * PANEL]);

/// A weight in panels of 32 columns.
pub(crate) trait Widen {
    /// Inputs and outputs.
    fn shape(&self) -> (usize, usize);

    /// The rows `inputs` of a panel as `f32`, in `wide` unless they are that already. `inputs`
    /// starts at a multiple of [`DEPTH`] from where a product does.
    ///
    /// # Panics
    ///
    /// When `wide` is too short.
    fn widen<'a, S: Simd>(
        &'a self,
        simd: S,
        panel: usize,
        inputs: Range<usize>,
        wide: &'a mut [MaybeUninit<f32>],
    ) -> &'a [f32];
}

impl<T: Element> Widen for Panels<T> {
    fn shape(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    #[inline(always)]
    fn widen<'a, S: Simd>(
        &'a self,
        simd: S,
        panel: usize,
        inputs: Range<usize>,
        wide: &'a mut [MaybeUninit<f32>],
    ) -> &'a [f32] {
        let values = &self.panel(panel)[inputs.start * PANEL..inputs.end * PANEL];
        T::widen_all(simd, values, wide)
    }
}

/// As [`accumulate`](super::product::accumulate), for rows in tiles and weights of any format.
///
/// # Panics
///
/// When the shapes do not fit.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, W: Widen>(
    simd: S,
    a: &TiledRows,
    b: &W,
    inputs: Range<usize>,
    panels: Range<usize>,
    out: &mut RowsMut<'_>,
) {
    let shape = b.shape();
    assert!(
        a.columns == inputs.len()
            && inputs.end <= shape.0
            && panels.end <= shape.1.div_ceil(PANEL)
            && out.rows == a.rows
            && fits(&panels, shape.1, out.columns),
        "accumulate: {} rows of {} · {shape:?}[{inputs:?}, {panels:?}] into {out:?}",
        a.rows,
        a.columns,
    );
    let mut wide = Wide([MaybeUninit::uninit(); DEPTH * PANEL]);
    for (index, panel) in panels.enumerate() {
        let columns = index * PANEL..out.columns.min((index + 1) * PANEL);
        for start in inputs.clone().step_by(DEPTH) {
            let depth = DEPTH.min(inputs.end - start);
            let block = b.widen(simd, panel, start..start + depth, &mut wide.0);
            assert!(block.len() >= depth * PANEL);
            // SAFETY: the shapes fit by the assertions above.
            unsafe {
                let product = BlockProduct {
                    rows: a.rows,
                    depth,
                    a: a.values.as_ptr().add((start - inputs.start) * S::TILE_ROWS),
                    a_step: S::TILE_ROWS * a.columns,
                    layout: ColumnMajor,
                    b: block.as_ptr(),
                };
                product.add_to(simd, out, columns.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::backend::cpu::gemm::product;
    use crate::backend::cpu::gemm::q8::Q8Weight;
    use crate::backend::cpu::simd::{Isa, Kernel};
    use crate::backend::testing::{random, rows_of};

    /// `out += a · b`, by rows in tiles.
    struct Tiled<'a, W>(Rows<'a>, &'a W, [Range<usize>; 2], RowsMut<'a>);

    impl<W: Widen> Kernel for Tiled<'_, W> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(mut self, simd: S) {
            let mut tiled = TiledRows::default();
            tiled.pack(simd, self.0);
            let [inputs, panels] = self.2;
            accumulate(simd, &tiled, self.1, inputs, panels, &mut self.3);
        }
    }

    /// `out += a · b`, by rows as they are.
    struct Plain<'a>(Rows<'a>, &'a Panels, [Range<usize>; 2], RowsMut<'a>);

    impl Kernel for Plain<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(mut self, simd: S) {
            let [inputs, panels] = self.2;
            product::accumulate(simd, self.0, self.1, inputs, panels, &mut self.3);
        }
    }

    /// The weights `(outputs, inputs)` that `b` stands for, as panels of `f32`.
    fn wide(outputs: usize, inputs: usize, column: impl Fn(usize, &mut [f32])) -> Panels {
        let mut weight = vec![0.0; outputs * inputs];
        for (output, line) in weight.chunks_exact_mut(inputs).enumerate() {
            column(output, line);
        }
        Panels::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap()
    }

    fn agrees<W: Widen>(b: &W, wide: &Panels) {
        let (all, outputs) = b.shape();
        for isa in Isa::all() {
            for rows in [0, 1, 5, 6, 13, 14, 15, 40] {
                // All of the weight, and a part: the inputs from 32 on, the last panel.
                let panels = outputs.div_ceil(PANEL);
                let part = [32.min(all)..all, panels - 1..panels];
                for [inputs, panels] in [[0..all, 0..panels], part] {
                    let columns = outputs - panels.start * PANEL;
                    let stride = inputs.len() + 3;
                    let a = random(rows * stride, 2);
                    let a = Rows::new(&a, rows, inputs.len(), stride);
                    let mut out = [(); 2].map(|()| random(rows * columns, 3));
                    let [tiled, plain] = &mut out;
                    let ranges = [inputs, panels];
                    let view = RowsMut::dense(tiled, rows, columns);
                    isa.run(Tiled(a, b, ranges.clone(), view));
                    isa.run(Plain(a, wide, ranges, RowsMut::dense(plain, rows, columns)));
                    assert_eq!(tiled, plain, "{isa:?}: {rows} rows of {stride} - 3");
                }
            }
        }
    }

    #[test]
    fn gives_the_bits_of_the_product_with_rows_as_they_are() {
        for (inputs, outputs) in [(1, 1), (31, 100), (513, 47), (300, 64)] {
            let weight = random(outputs * inputs, 1);
            let exact = weight.iter().map(|&v| f16::from_f32(v).to_f32());
            let exact = exact.collect::<Vec<_>>();
            let half = Panels::<f16>::pack(outputs, inputs, rows_of(&exact, inputs)).unwrap();
            agrees(
                &half,
                &wide(outputs, inputs, |at, line| half.column(at, line)),
            );
            let float = Panels::<f32>::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
            agrees(&float, &float);
            let codes = Q8Weight::pack(outputs, inputs, rows_of(&weight, inputs)).unwrap();
            agrees(
                &codes,
                &wide(outputs, inputs, |at, line| codes.column(at, line)),
            );
        }
    }

    #[test]
    #[should_panic]
    fn rows_of_another_width_are_refused() {
        let b = Panels::<f32>::zeroed(8, 32);
        let (a, mut out) = ([0.0; 7], [0.0; 32]);
        let (a, out) = (Rows::dense(&a, 1, 7), RowsMut::dense(&mut out, 1, 32));
        Isa::best().run(Tiled(a, &b, [0..8, 0..1], out));
    }
}
