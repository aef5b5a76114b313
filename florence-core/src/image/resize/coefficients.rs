//! Filter coefficients: the source pixels of an output pixel, and their weights.

use std::ops::Range;

use rayon::prelude::*;

/// Fraction bits of a coefficient: bytes have 8 bits, two more are needed for sums beyond the range
/// (`PRECISION_BITS` in Pillow's Resample.c).
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Half the width of the kernel, in pixels of the coarser image.
const SUPPORT: f64 = 2.0;

/// The cubic convolution kernel with a = −0.5.
fn kernel(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// The windows of all output pixels along one side of an image.
#[derive(Debug)]
pub(super) struct Axis {
    starts: Vec<usize>,
    /// Window `i` has the weights `weights[ends[i - 1]..ends[i]]`.
    ends: Vec<usize>,
    weights: Vec<i32>,
}

/// The source pixels of one output pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    /// The first source pixel.
    pub(super) start: usize,
    /// The weights of that and the following pixels.
    pub(super) weights: &'a [i32],
}

impl Axis {
    /// From `from` pixels to `to`, both at least 1. When shrinking, the kernel
    /// is stretched over the source pixels (antialiasing).
    pub(super) fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let stretch = scale.max(1.0);
        let support = SUPPORT * stretch;
        // Multiplied, not divided by: the last bit of a weight depends on it.
        let shrink = 1.0 / stretch;
        let mut axis = Axis {
            starts: Vec::with_capacity(to),
            ends: Vec::with_capacity(to),
            weights: Vec::new(),
        };
        let mut exact = Vec::new();
        for i in 0..to {
            let center = (i as f64 + 0.5) * scale;
            // `as` truncates towards zero, as C does.
            let first = ((center - support + 0.5) as i64).max(0);
            let end = ((center + support + 0.5) as i64).min(from as i64);
            exact.clear();
            exact.extend(
                (0..end - first).map(|x| kernel(((x + first) as f64 - center + 0.5) * shrink)),
            );
            let mut sum = 0.0;
            for weight in &exact {
                sum += weight;
            }
            axis.starts.push(first as usize);
            axis.weights.extend(
                exact
                    .iter()
                    .map(|weight| fixed(if sum == 0.0 { *weight } else { weight / sum })),
            );
            axis.ends.push(axis.weights.len());
        }
        axis
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    fn window(&self, i: usize) -> Window<'_> {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        Window {
            start: self.starts[i],
            weights: &self.weights[from..self.ends[i]],
        }
    }

    pub(super) fn windows(&self) -> impl Iterator<Item = Window<'_>> {
        (0..self.len()).map(|i| self.window(i))
    }

    pub(super) fn par_windows(&self) -> impl IndexedParallelIterator<Item = Window<'_>> {
        (0..self.len()).into_par_iter().map(|i| self.window(i))
    }

    /// The range of source pixels with weights.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.starts.first().copied().unwrap_or(0);
        let end = self
            .len()
            .checked_sub(1)
            .map(|last| self.window(last))
            .map_or(start, |last| last.start + last.weights.len());
        start..end
    }

    /// The same windows over a source whose first `offset` pixels were cut off.
    pub(super) fn starting_at(mut self, offset: usize) -> Self {
        for start in &mut self.starts {
            *start -= offset;
        }
        self
    }
}

/// Rounds half away from zero to fixed point.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION_BITS);
    if weight < 0.0 {
        (scaled - 0.5) as i32
    } else {
        (scaled + 0.5) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one() {
        for (from, to) in [(768, 768), (1000, 768), (3, 768), (5000, 7), (1, 9)] {
            let axis = Axis::new(from, to);
            assert_eq!(axis.len(), to);
            for window in axis.windows() {
                let sum: i32 = window.weights.iter().sum();
                let off = (sum - (1 << PRECISION_BITS)).unsigned_abs() as usize;
                assert!(off <= window.weights.len(), "{from} → {to}: {off}");
                assert!(window.start + window.weights.len() <= from);
            }
        }
    }

    #[test]
    fn doubling_has_known_weights() {
        let axis = Axis::new(8, 16);
        let window = axis.window(6);
        // The center 3.25 lies ¼ of a pixel from pixel 3's.
        let exact: Vec<f64> = window
            .weights
            .iter()
            .map(|w| f64::from(*w) / f64::from(1 << PRECISION_BITS))
            .collect();
        assert_eq!(window.start, 1);
        assert_eq!(
            exact,
            [-0.023_437_5, 0.226_562_5, 0.867_187_5, -0.070_312_5]
        );
    }
}
