//! Predictors: samples stored as differences.

use super::Refusal;
use super::layout::Layout;

/// Reverses the predictor of each row of a block.
pub(super) fn undo(block: &mut [u8], layout: &Layout, big_endian: bool) -> Result<(), Refusal> {
    let step = layout.samples / layout.planes;
    match (layout.predictor, layout.bits) {
        (1, _) => {}
        (2, 8) => {
            for row in block.chunks_exact_mut(layout.row_bytes()) {
                for i in step..row.len() {
                    row[i] = row[i].wrapping_add(row[i - step]);
                }
            }
        }
        (2, 16) => sum::<2>(block, layout, step, big_endian),
        (2, 32) => sum::<4>(block, layout, step, big_endian),
        (3, 32) => {
            for row in block.chunks_exact_mut(layout.row_bytes()) {
                float(row, step, big_endian);
            }
        }
        (predictor, bits) => {
            return Err(Refusal::Unsupported(format!(
                "predictor {predictor} of {bits} bits"
            )));
        }
    }
    Ok(())
}

/// Running sums of integers of `N` bytes.
fn sum<const N: usize>(block: &mut [u8], layout: &Layout, step: usize, big_endian: bool) {
    let number = |bytes: [u8; N]| {
        let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        if big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        }
    };
    for row in block.chunks_exact_mut(layout.row_bytes()) {
        let samples = row.as_chunks_mut::<N>().0;
        for i in step..samples.len() {
            let value = number(samples[i]).wrapping_add(number(samples[i - step]));
            for (place, byte) in samples[i].iter_mut().enumerate() {
                let shift = if big_endian { N - 1 - place } else { place };
                *byte = (value >> (8 * shift)) as u8;
            }
        }
    }
}

/// Floating point: sums of bytes, the upper bytes of all samples first.
fn float(row: &mut [u8], step: usize, big_endian: bool) {
    for i in step..row.len() {
        row[i] = row[i].wrapping_add(row[i - step]);
    }
    let planes = row.to_vec();
    let samples = row.len() / 4;
    for (i, sample) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *sample = std::array::from_fn(|plane| planes[plane * samples + i]);
        if !big_endian {
            sample.reverse();
        }
    }
}
