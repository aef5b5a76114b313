//! Upsampling.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::block::Block;
use crate::dct;
use crate::frame::{Component, Frame};

/// The samples of a component after the IDCT.
pub(crate) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// Samples that belong to the image; the others pad blocks.
    width: usize,
    height: usize,
    /// How many pixels a sample covers, horizontally and vertically.
    h: usize,
    v: usize,
}

impl Plane {
    /// A plane before its samples are computed.
    pub(crate) fn new(component: &Component, frame: &Frame) -> Self {
        let stride = component.stride * 8;
        Plane {
            samples: vec![0; stride * frame.mcu_rows * component.v * 8],
            stride,
            width: (frame.width * component.h).div_ceil(frame.h_max),
            height: (frame.height * component.v).div_ceil(frame.v_max),
            h: frame.h_max / component.h,
            v: frame.v_max / component.v,
        }
    }

    /// Transforms rows of blocks, the first of which is row `first`; `estimate`
    /// may replace the blocks of a row.
    pub(crate) fn fill(
        &mut self,
        component: &Component,
        first: usize,
        blocks: &[Block],
        estimate: impl Fn(usize) -> Option<Vec<Block>> + Sync,
    ) {
        let stride = self.stride;
        // The samples of a component without a scan are 128.
        let quantization = component.quantization.unwrap_or([0; 64]);
        self.samples
            .par_chunks_exact_mut(stride * 8)
            .skip(first)
            .zip(blocks.par_chunks_exact(component.stride))
            .enumerate()
            .for_each(|(row, (rows, blocks))| {
                let estimated = estimate(first + row);
                let blocks = estimated.as_deref().unwrap_or(blocks);
                for (column, block) in blocks.iter().enumerate() {
                    let block = dct::inverse(block, &quantization);
                    for (row, samples) in rows.chunks_exact_mut(stride).zip(block.chunks_exact(8)) {
                        row[column * 8..column * 8 + 8].copy_from_slice(samples);
                    }
                }
            });
    }

    fn stored(&self, y: usize) -> &[u8] {
        let start = y.min(self.height - 1) * self.stride;
        &self.samples[start..start + self.width]
    }

    /// Row `y` of the image: at least as many samples as it has pixels.
    ///
    /// For ratios of 2, this is libjpeg's triangle filter ("fancy upsampling"): an
    /// upsampled value is 3/4 of the nearer sample and 1/4 of the farther one, and
    /// halves are rounded up and down alternately. For other ratios, and for rows
    /// too short for the filter, samples are repeated.
    pub(crate) fn row(&self, y: usize) -> Cow<'_, [u8]> {
        let near = self.stored(y / self.v);
        let other = if y.is_multiple_of(2) {
            (y / 2).saturating_sub(1)
        } else {
            y / 2 + 1
        };
        match (self.h, self.v) {
            (1, 1) => Cow::Borrowed(near),
            (1, 2) => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                let mix = |(near, far): (&u8, &u8)| {
                    ((u32::from(*near) * 3 + u32::from(*far) + bias) >> 2) as u8
                };
                near.iter().zip(self.stored(other)).map(mix).collect()
            }
            (2, 1) if self.width > 2 => {
                let sums: Vec<u32> = near.iter().map(|s| u32::from(*s)).collect();
                Cow::Owned(double(&sums, 2, [1, 2]))
            }
            (2, 2) if self.width > 2 => {
                let sums: Vec<u32> = near
                    .iter()
                    .zip(self.stored(other))
                    .map(|(near, far)| u32::from(*near) * 3 + u32::from(*far))
                    .collect();
                Cow::Owned(double(&sums, 4, [8, 7]))
            }
            (h, _) => near
                .iter()
                .flat_map(|s| std::iter::repeat_n(*s, h))
                .collect(),
        }
    }
}

/// Upsamples a row by 2. The sums carry `shift − 2` extra bits; the biases are for
/// the left and for the right pixel of a sample.
fn double(sums: &[u32], shift: u32, [left, right]: [u32; 2]) -> Vec<u8> {
    let last = sums.len() - 1;
    let mut out = Vec::with_capacity(2 * sums.len());
    for (i, sum) in sums.iter().enumerate() {
        let before = sums[i.saturating_sub(1)];
        let after = sums[(i + 1).min(last)];
        out.push(((sum * 3 + before + left) >> shift) as u8);
        out.push(((sum * 3 + after + right) >> shift) as u8);
    }
    out
}
