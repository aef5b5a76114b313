//! im2col: the windows of a convolution as rows of a matrix.

use candle_core::{Result, Tensor};

use crate::backend::Patches;

/// im2col by index: `map: (batch, height, width, channels)` to
/// `(batch, windows, kernel·kernel·channels)`, each row in (row, column, channel) order. The
/// convolution is then one product, channels-last, with a gradient that is an `index_add`.
pub(super) fn windows(map: &Tensor, patches: Patches) -> Result<Tensor> {
    let Patches {
        kernel,
        stride,
        padding,
    } = patches;
    let (batch, height, width, channels) = map.dims4()?;
    let (down, across) = (patches.count(height), patches.count(width));
    let lines = |count: usize| {
        let lines = (0..count).flat_map(|at| (0..kernel).map(move |k| (at * stride + k) as u32));
        Tensor::from_iter(lines, map.device())
    };
    map.pad_with_zeros(1, padding, padding)?
        .pad_with_zeros(2, padding, padding)?
        .index_select(&lines(down)?, 1)?
        .index_select(&lines(across)?, 2)?
        .reshape(&[batch, down, kernel, across, kernel, channels])?
        .permute([0, 1, 3, 2, 4, 5])?
        .reshape((batch, down * across, kernel * kernel * channels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::testing::{close, random, tensor, values};

    /// candle's convolution, channels-first.
    #[allow(clippy::disallowed_methods)]
    fn convolution(map: &Tensor, weight: &Tensor, patches: Patches) -> Result<Tensor> {
        map.permute((0, 3, 1, 2))?
            .conv2d(weight, patches.padding, patches.stride, 1, 1)?
            .flatten_from(2)?
            .transpose(1, 2)
    }

    #[test]
    fn products_with_windows_are_candles_convolution() -> Result<()> {
        for (batch, h, w, channels, out, kernel, stride, padding) in [
            (1, 8, 8, 3, 5, 7, 4, 3),
            (2, 5, 9, 4, 3, 3, 2, 1),
            (1, 3, 3, 2, 2, 3, 1, 1),
            (1, 4, 6, 1, 1, 2, 2, 0),
            (2, 40, 36, 3, 40, 7, 2, 3),
        ] {
            let patches = Patches {
                kernel,
                stride,
                padding,
            };
            let map = tensor(
                &random(batch * h * w * channels, 1),
                (batch, h, w, channels),
            );
            let shape = (out, channels, kernel, kernel);
            let weight = tensor(&random(out * channels * kernel * kernel, 2), shape);
            let right = convolution(&map, &weight, patches)?;
            let weight = weight.permute((0, 2, 3, 1))?.flatten_from(1)?;
            let found = windows(&map, patches)?.broadcast_matmul(&weight.t()?)?;
            assert_eq!(found.dims(), right.dims());
            close(&values(&found), &values(&right), 1e-5);
        }
        Ok(())
    }
}
