//! Products of rows as they are with panels of floats: few rows, or few columns as in attention.

use std::ops::Range;

use super::matrix::{Rows, RowsMut};
use super::panels::{Element, PANEL, Panels};
use super::register_tile::{BlockProduct, DEPTH, RowMajor};
use crate::backend::cpu::simd::Simd;

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
    for (index, panel) in panels.enumerate() {
        let values = b.panel(panel);
        let columns = index * PANEL..out.columns.min((index + 1) * PANEL);
        for start in inputs.clone().step_by(DEPTH) {
            let depth = DEPTH.min(inputs.end - start);
            // SAFETY: the shapes fit by the assertion above.
            unsafe {
                let product = BlockProduct {
                    rows: a.rows,
                    depth,
                    a: a.as_ptr().add(start - inputs.start),
                    a_step: S::TILE_ROWS * a.stride,
                    layout: RowMajor(a.stride),
                    b: values[start * PANEL..][..depth * PANEL].as_ptr(),
                };
                product.add_to(simd, out, columns.clone());
            }
        }
    }
}

/// Whether `columns` are those of `panels`, with or without padding.
#[inline(always)]
pub(super) fn fits(panels: &Range<usize>, outputs: usize, columns: usize) -> bool {
    let end = outputs.min(panels.end * PANEL);
    columns == end.saturating_sub(panels.start * PANEL) || columns == panels.len() * PANEL
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

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
}
