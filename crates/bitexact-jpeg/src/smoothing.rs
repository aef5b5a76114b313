//! libjpeg-turbo's interblock smoothing: estimates of coefficients that an
//! incomplete progressive file lacks, from the DC values of 5 × 5 blocks.

use crate::block::Block;
use crate::frame::{Component, Frame};
use crate::progress::Progress;

/// The first ten coefficients of the zigzag, in natural order.
const PLACES: [usize; 10] = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24];

/// How many bits are missing of the first ten coefficients of a component.
type Missing = [i32; 10];

/// Smoothing of one image.
pub(crate) struct Smoothing {
    now: Vec<Missing>,
    before: Vec<Missing>,
    /// The last row of MCUs for which the last scan has data.
    last_good_row: usize,
}

/// Five rows of blocks: the current one in the middle.
type Window<'a> = [&'a [Block]; 5];

impl Smoothing {
    /// `None` if nothing is missing, or so much that libjpeg does not smooth.
    pub(crate) fn of(frame: &Frame, progress: &Progress, last_good_row: usize) -> Option<Self> {
        if !frame.progressive {
            return None;
        }
        for (component, missing) in frame.components.iter().zip(&progress.now) {
            let quantization = component.quantization?;
            if PLACES.iter().any(|place| quantization[*place] == 0) || missing[0] < 0 {
                return None;
            }
        }
        let first = |all: &[[i8; 64]]| -> Vec<Missing> {
            let ten = |missing: &[i8; 64]| std::array::from_fn(|k| missing[k].into());
            all.iter().map(ten).collect()
        };
        let now = first(&progress.now);
        let before = if progress.several() {
            first(&progress.before)
        } else {
            vec![[-1; 10]; now.len()]
        };
        let useful = now.iter().any(|missing| missing[1..] != [0; 9]);
        useful.then_some(Smoothing {
            now,
            before,
            last_good_row,
        })
    }

    /// The smoothed blocks of row `line` of blocks in the row `mcu` of MCUs.
    pub(crate) fn row(
        &self,
        frame: &Frame,
        component: usize,
        blocks: &[Block],
        (mcu, line): (usize, usize),
    ) -> Vec<Block> {
        let missing = if mcu > self.last_good_row {
            &self.before[component]
        } else {
            &self.now[component]
        };
        let component = &frame.components[component];
        let window = window(frame, component, blocks, mcu, line);
        let quantization = component.quantization.unwrap_or([1; 64]);
        (0..component.columns)
            .map(|column| {
                estimate(
                    &window,
                    column,
                    component.columns - 1,
                    missing,
                    &quantization,
                )
            })
            .collect()
    }
}

/// The window around a row. libjpeg finds the edges of the image as if all rows
/// of MCUs had as many rows of blocks as this one.
fn window<'a>(
    frame: &Frame,
    component: &Component,
    blocks: &'a [Block],
    mcu: usize,
    line: usize,
) -> Window<'a> {
    let lines = component.rows_of(mcu, frame);
    let (number, count) = (mcu * lines + line, lines * frame.mcu_rows);
    let row = |index: usize| &blocks[index * component.stride..][..component.columns];
    let this = mcu * component.v + line;
    let above = if number > 0 { row(this - 1) } else { row(this) };
    let above2 = if number > 1 { row(this - 2) } else { above };
    let below = if number + 1 < count {
        row(this + 1)
    } else {
        row(this)
    };
    let below2 = if number + 2 < count {
        row(this + 2)
    } else {
        below
    };
    [above2, above, row(this), below, below2]
}

/// A block with estimates for its missing coefficients. A kernel is written as
/// its 25 weights, row by row.
fn estimate(
    window: &Window<'_>,
    column: usize,
    last: usize,
    missing: &Missing,
    quantization: &[u16; 64],
) -> Block {
    let mut block = window[2][column];
    let means: [i64; 25] = std::array::from_fn(|at| {
        let column = (column + at % 5).saturating_sub(2).min(last);
        window[at / 5][column][0].into()
    });
    let weigh = |kernel: &[i64; 25]| -> i64 {
        let sum: i64 = kernel.iter().zip(&means).map(|(w, mean)| w * mean).sum();
        sum * i64::from(quantization[0])
    };
    let divide = |sum: i64, place: usize, most: Option<i64>| {
        let step = i64::from(quantization[place]);
        let size = ((step << 7) + sum.abs()) / (step << 8);
        let size = most.map_or(size, |most| size.min(most));
        (if sum < 0 { -size } else { size }) as i16
    };
    // If only DC values are known, they are smoothed too.
    let means_only = missing[1..] == [-1; 9];
    let kernels: &[[i64; 25]] = if means_only { &SMOOTH } else { &SHARP };
    for ((kernel, place), missing) in kernels.iter().zip(&PLACES[1..]).zip(&missing[1..]) {
        if *missing != 0 && block[*place] == 0 {
            let most = (*missing > 0).then(|| (1 << missing) - 1);
            block[*place] = divide(weigh(kernel), *place, most);
        }
    }
    if means_only {
        block[0] = divide(weigh(&MEAN), 0, None);
    }
    block
}

#[rustfmt::skip]
const SMOOTH: [[i64; 25]; 9] = [
    [
        -1, -1, 0, 1, 1,
        -3, 13, 0, -13, 3,
        -3, 38, 0, -38, 3,
        -3, 13, 0, -13, 3,
        -1, -1, 0, 1, 1,
    ],
    [
        -1, -3, -3, -3, -1,
        -1, 13, 38, 13, -1,
        0, 0, 0, 0, 0,
        1, -13, -38, -13, 1,
        1, 3, 3, 3, 1,
    ],
    [
        0, 0, 1, 0, 0,
        0, 2, 7, 2, 0,
        0, -5, -14, -5, 0,
        0, 2, 7, 2, 0,
        0, 0, 1, 0, 0,
    ],
    [
        -1, 0, 0, 0, 1,
        0, 9, 0, -9, 0,
        0, 0, 0, 0, 0,
        0, -9, 0, 9, 0,
        1, 0, 0, 0, -1,
    ],
    [
        0, 0, 0, 0, 0,
        0, 2, -5, 2, 0,
        1, 7, -14, 7, 1,
        0, 2, -5, 2, 0,
        0, 0, 0, 0, 0,
    ],
    [
        0, 0, 0, 0, 0,
        0, 1, 0, -1, 0,
        0, 2, 0, -2, 0,
        0, 1, 0, -1, 0,
        0, 0, 0, 0, 0,
    ],
    [
        0, 0, 0, 0, 0,
        0, 1, -3, 1, 0,
        0, 0, 0, 0, 0,
        0, -1, 3, -1, 0,
        0, 0, 0, 0, 0,
    ],
    [
        0, 0, 0, 0, 0,
        0, 1, 0, -1, 0,
        0, -3, 0, 3, 0,
        0, 1, 0, -1, 0,
        0, 0, 0, 0, 0,
    ],
    [
        0, 0, 0, 0, 0,
        0, 1, 2, 1, 0,
        0, 0, 0, 0, 0,
        0, -1, -2, -1, 0,
        0, 0, 0, 0, 0,
    ],
];

#[rustfmt::skip]
const SHARP: [[i64; 25]; 5] = [
    [
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
        -7, 50, 0, -50, 7,
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
    ],
    [
        0, 0, -7, 0, 0,
        0, 0, 50, 0, 0,
        0, 0, 0, 0, 0,
        0, 0, -50, 0, 0,
        0, 0, 7, 0, 0,
    ],
    [
        0, 0, -1, 0, 0,
        0, 0, 13, 0, 0,
        0, 0, -24, 0, 0,
        0, 0, 13, 0, 0,
        0, 0, -1, 0, 0,
    ],
    [
        0, -1, 0, 1, 0,
        -1, 10, 0, -10, 1,
        0, 0, 0, 0, 0,
        1, -10, 0, 10, -1,
        0, 1, 0, -1, 0,
    ],
    [
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
        -1, 13, -24, 13, -1,
        0, 0, 0, 0, 0,
        0, 0, 0, 0, 0,
    ],
];

#[rustfmt::skip]
const MEAN: [i64; 25] = [
    -2, -6, -8, -6, -2,
    -6, 6, 42, 6, -6,
    -8, 42, 152, 42, -8,
    -6, 6, 42, 6, -6,
    -2, -6, -8, -6, -2,
];
