//! Depthwise 3×3 convolution with its bias and the residual, tokens-last.
//!
//! candle runs a grouped convolution as one convolution per channel, which made
//! the 48 depthwise convolutions of Florence-2-base about 65 times slower.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::contiguous_f32;
use super::simd::{Isa, Kernel, Simd, load_part, store_part};
use super::split::in_chunks;

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

    /// `x` holds maps of `height × width` tokens, one after the other.
    fn forward(&self, isa: Isa, x: &[f32], (height, width): (usize, usize)) -> Vec<f32> {
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
        // A line outside of the map is any line, with taps of zero.
        let above = y.checked_sub(1);
        let below = Some(y + 1).filter(|&y| y < height);
        let lines = [above, Some(y), below].map(|y| y.map(line));
        let centre = line(y);
        for start in (0..channels).step_by(S::LANES) {
            let block = start..channels.min(start + S::LANES);
            let bias = load_part(simd, &layer.bias[block.clone()]);
            let mut taps = [simd.splat(0.0); 9];
            for (tap, values) in taps.iter_mut().enumerate() {
                if lines[tap / 3].is_some() {
                    *values = load_part(simd, &layer.taps[tap * channels..][block.clone()]);
                }
            }
            let lines = lines.map(|line| line.unwrap_or(centre));
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

/// `x + conv3x3(x) + bias` per channel, with zero padding of one pixel, for
/// `x: (batch, height·width, channels)`.
pub(crate) fn depthwise3x3_residual(
    x: &Tensor,
    (height, width): (usize, usize),
    layer: &Depthwise,
) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Op {
        layer,
        height,
        width,
    })
}

struct Op<'a> {
    layer: &'a Depthwise,
    height: usize,
    width: usize,
}

impl CustomOp1 for Op<'_> {
    fn name(&self) -> &'static str {
        "florence-depthwise3x3"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, tokens, channels) = layout.shape().dims3()?;
        let Self {
            layer,
            height,
            width,
        } = *self;
        if tokens != height * width || tokens == 0 || channels != layer.bias.len() {
            bail!(
                "depthwise3x3: x {:?} is not {height}×{width} tokens of {}",
                layout.dims(),
                layer.bias.len()
            );
        }
        let x = contiguous_f32(self.name(), x, layout)?;
        let out = layer.forward(Isa::best(), x, (height, width));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{close, random, tensor};

    /// candle's grouped convolution, channels first.
    #[allow(clippy::disallowed_methods)]
    fn slow(x: &Tensor, (h, w): (usize, usize), layer: &Depthwise) -> Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let map = x.transpose(1, 2)?.reshape((batch, channels, h, w))?;
        let kernel = tensor(&layer.taps, (9, channels))
            .t()?
            .reshape((channels, 1, 3, 3))?;
        let conv = map
            .conv2d(&kernel, 1, 1, 1, channels)?
            .broadcast_add(&tensor(&layer.bias, (1, channels, 1, 1)))?;
        (conv + map)?.flatten_from(2)?.transpose(1, 2)
    }

    #[test]
    fn agrees_with_candle_on_odd_shapes() -> Result<()> {
        for (batch, h, w, c) in [
            (1, 1, 1, 1),
            (2, 5, 3, 7),
            (1, 1, 9, 33),
            (3, 4, 1, 64),
            (1, 6, 7, 100),
        ] {
            let x = random(batch * h * w * c, 1);
            let layer = Depthwise::new(random(9 * c, 2), random(c, 3))?;
            let input = tensor(&x, (batch, h * w, c));
            let slow = slow(&input, (h, w), &layer)?;
            let slow = slow.flatten_all()?.to_vec1::<f32>()?;
            for isa in Isa::all() {
                close(&layer.forward(isa, &x, (h, w)), &slow, 1e-5);
            }
            let op = depthwise3x3_residual(&input, (h, w), &layer)?;
            close(&op.flatten_all()?.to_vec1::<f32>()?, &slow, 1e-5);
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_an_error() -> Result<()> {
        let layer = Depthwise::new(vec![0.0; 18], vec![0.0; 2])?;
        assert!(depthwise3x3_residual(&tensor(&[0.0; 12], (1, 6, 2)), (2, 2), &layer).is_err());
        assert!(depthwise3x3_residual(&tensor(&[0.0; 12], (1, 4, 3)), (2, 2), &layer).is_err());
        assert!(Depthwise::new(vec![0.0; 8], vec![0.0; 1]).is_err());
        Ok(())
    }
}
