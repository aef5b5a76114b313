//! Depthwise 3×3 convolution with its bias and the residual, channels-last.
//!
//! candle runs a grouped convolution as one convolution per channel, which made
//! the 48 depthwise convolutions of Florence-2-base about 65 times slower.

use candle_core::{Result, bail};

use super::simd::{Isa, Kernel, Simd, load_part, store_part};
use super::threads::in_chunks;

/// Nine taps and a bias for each channel.
#[derive(Debug)]
pub(crate) struct Depthwise {
    /// `(9, channels)`, the taps in row-major order.
    taps: Vec<f32>,
    bias: Vec<f32>,
}

impl Depthwise {
    /// # Errors
    ///
    /// When there are not nine taps for each bias.
    pub(crate) fn new(taps: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        if bias.is_empty() || taps.len() != 9 * bias.len() {
            bail!("depthwise3x3: {} taps, {} biases", taps.len(), bias.len());
        }
        Ok(Self { taps, bias })
    }

    pub(crate) fn channels(&self) -> usize {
        self.bias.len()
    }

    /// `x + conv3x3(x) + bias` per channel, with zero padding of one pixel; `x`
    /// holds maps of `height × width` tokens, one after the other.
    pub(crate) fn forward(&self, isa: Isa, x: &[f32], (height, width): (usize, usize)) -> Vec<f32> {
        let row = width * self.bias.len();
        in_chunks(x.len(), row, |index, out| {
            let (map, y) = (index / height, index % height);
            isa.run(Row {
                layer: self,
                map: &x[map * height * row..][..height * row],
                y,
                out,
            });
        })
    }
}

/// One output row `y` of one map.
struct Row<'a> {
    layer: &'a Depthwise,
    map: &'a [f32],
    y: usize,
    out: &'a mut [f32],
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layer, map, y, out } = self;
        let channels = layer.bias.len();
        let height = map.len() / out.len();
        let line = |y: usize| &map[y * out.len()..][..out.len()];
        // A row outside the map is any row, with taps of zero.
        let above = y.checked_sub(1);
        let below = Some(y + 1).filter(|&y| y < height);
        let lines = [above, Some(y), below].map(|y| y.map(line));
        let center = line(y);
        for start in (0..channels).step_by(S::LANES) {
            let block = start..channels.min(start + S::LANES);
            let bias = load_part(simd, &layer.bias[block.clone()]);
            let mut taps = [simd.splat(0.0); 9];
            for (tap, values) in taps.iter_mut().enumerate() {
                if lines[tap / 3].is_some() {
                    *values = load_part(simd, &layer.taps[tap * channels..][block.clone()]);
                }
            }
            let lines = lines.map(|line| line.unwrap_or(center));
            let mut left = [simd.splat(0.0); 3];
            let mut middle = left;
            for (middle, line) in middle.iter_mut().zip(lines) {
                *middle = load_part(simd, &line[block.clone()]);
            }
            for at in (0..out.len()).step_by(channels) {
                let mut right = [simd.splat(0.0); 3];
                let next = at + channels;
                if next < out.len() {
                    for (right, line) in right.iter_mut().zip(lines) {
                        *right = load_part(simd, &line[next..][block.clone()]);
                    }
                }
                let mut sum = simd.add(middle[1], bias);
                for i in 0..3 {
                    sum = simd.mul_add(left[i], taps[3 * i], sum);
                    sum = simd.mul_add(middle[i], taps[3 * i + 1], sum);
                    sum = simd.mul_add(right[i], taps[3 * i + 2], sum);
                }
                store_part(simd, &mut out[at..][block.clone()], sum);
                (left, middle) = (middle, right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::backend::testing::{Operation, agree, kernels, parameter, random, tensor};

    struct Convolve {
        size: (usize, usize),
        channels: usize,
    }

    impl Operation for Convolve {
        fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor> {
            let weight = parameter(&[self.channels, 1, 3, 3], 1.0, 2);
            let bias = parameter(&[self.channels], 1.0, 3);
            let conv = backend.depthwise(&weight, &bias).unwrap();
            backend.depthwise_residual(x, self.size, &conv)
        }
    }

    #[test]
    fn agrees_with_candle_on_odd_shapes() -> Result<()> {
        for (batch, h, w, channels) in [
            (1, 1, 1, 1),
            (2, 5, 3, 7),
            (1, 1, 9, 33),
            (3, 4, 1, 64),
            (1, 6, 7, 100),
        ] {
            let x = tensor(
                &random(batch * h * w * channels, 1),
                (batch, h * w, channels),
            );
            let size = (h, w);
            agree(&Convolve { size, channels }, &x, 1e-5)?;
        }
        Ok(())
    }

    #[test]
    fn shape_mismatches_are_errors() -> Result<()> {
        let cpu = kernels(Isa::best());
        let convolve = |x: &[f32], shape| {
            let half = Convolve {
                size: (2, 2),
                channels: 2,
            };
            half.run(&cpu, cpu.input(&tensor(x, shape)).unwrap())
        };
        assert!(convolve(&[0.0; 8], (1, 4, 2)).is_ok());
        assert!(convolve(&[0.0; 12], (1, 6, 2)).is_err());
        assert!(convolve(&[0.0; 12], (1, 4, 3)).is_err());
        assert!(Depthwise::new(vec![0.0; 8], vec![0.0; 1]).is_err());
        Ok(())
    }
}
