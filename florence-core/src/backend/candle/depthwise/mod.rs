//! Depthwise 3×3 convolution with the residual.
//!
//! candle's grouped convolution runs one convolution per channel, on every device: thousands of
//! launches for one image. Here it is one operation with a gradient, on the CPU and on CUDA; other
//! devices use nine shifted maps, the reference implementation that the operation is tested
//! against.

#[cfg(feature = "cuda")]
mod cuda;
mod operation;

use candle_core::{Result, Tensor};

use self::operation::Residual;

/// Weights of the convolution.
#[derive(Debug)]
pub(crate) struct Depthwise {
    /// `(channels, 1, 3, 3)`
    weight: Tensor,
    /// `(channels)`
    bias: Tensor,
    /// The weight as `(9, channels)`, precomputed where no gradient has to reach it.
    taps: Option<Tensor>,
}

impl Depthwise {
    pub(super) fn new(weight: Tensor, bias: Tensor, differentiable: bool) -> Result<Self> {
        let taps = (!differentiable).then(|| taps(&weight)).transpose()?;
        Ok(Self { weight, bias, taps })
    }

    /// `x + conv(x)` for `x: (batch, height·width, channels)`.
    pub(super) fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        let taps = match &self.taps {
            Some(taps) => taps.clone(),
            None => taps(&self.weight)?,
        };
        if x.device().is_metal() {
            return shifted(x, &taps, &self.bias, size);
        }
        x.contiguous()?
            .apply_op3(&taps, &self.bias, Residual { size })
    }
}

/// Transposes `(channels, 1, 3, 3)` to `(9, channels)`, so that channels are adjacent.
fn taps(weight: &Tensor) -> Result<Tensor> {
    weight.flatten_from(1)?.t()?.contiguous()
}

/// The map `(batch, height·width, channels)` moved by each of the nine taps, zero beyond its edges:
/// each `(batch, height, width, channels)`.
fn shifts(
    x: &Tensor,
    (height, width): (usize, usize),
) -> Result<impl Iterator<Item = Result<Tensor>>> {
    let map = x.reshape((x.dim(0)?, height, width, ()))?;
    let padded = map.pad_with_zeros(1, 1, 1)?.pad_with_zeros(2, 1, 1)?;
    Ok((0..9).map(move |tap| {
        let rows = padded.narrow(1, tap / 3, height)?;
        rows.narrow(2, tap % 3, width)
    }))
}

/// The same as nine shifted maps, in candle's operations.
fn shifted(x: &Tensor, taps: &Tensor, bias: &Tensor, size: (usize, usize)) -> Result<Tensor> {
    let (height, width) = size;
    let map = x.reshape((x.dim(0)?, height, width, ()))?;
    let mut sum = map.broadcast_add(bias)?;
    for (tap, shifted) in shifts(x, size)?.enumerate() {
        sum = (sum + shifted?.broadcast_mul(&taps.get(tap)?)?)?;
    }
    sum.reshape(x.shape())
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::backend::testing::{close, random, tensor, values};

    #[test]
    fn the_operation_is_nine_shifted_maps() -> Result<()> {
        for (batch, height, width, channels) in [
            (1, 1, 1, 1),
            (2, 1, 5, 3),
            (1, 7, 1, 4),
            (3, 6, 5, 2),
            (1, 12, 9, 40),
        ] {
            let shape = (batch, height * width, channels);
            let x = tensor(&random(batch * height * width * channels, 1), shape);
            let weight = tensor(&random(9 * channels, 2), (channels, 1, 3, 3));
            let bias = tensor(&random(channels, 3), channels);
            let right = values(&shifted(&x, &taps(&weight)?, &bias, (height, width))?);
            for (dtype, tolerance) in [
                (DType::F32, 1e-6),
                (DType::F64, 1e-6),
                (DType::F16, 2e-3),
                (DType::BF16, 2e-2),
            ] {
                let (weight, bias) = (weight.to_dtype(dtype)?, bias.to_dtype(dtype)?);
                for differentiable in [false, true] {
                    let conv = Depthwise::new(weight.clone(), bias.clone(), differentiable)?;
                    let found = conv.forward(&x.to_dtype(dtype)?, (height, width))?;
                    assert_eq!((found.dtype(), found.dims3()?), (dtype, shape));
                    close(&values(&found.to_dtype(DType::F32)?), &right, tolerance);
                }
            }
        }
        Ok(())
    }

    #[test]
    fn other_shapes_are_refused() {
        let x = tensor(&random(12, 1), (1, 6, 2));
        let conv = |channels: usize| {
            let weight = tensor(&random(9 * channels, 2), (channels, 1, 3, 3));
            let bias = tensor(&random(channels, 3), channels);
            Depthwise::new(weight, bias, false).unwrap()
        };
        assert!(conv(2).forward(&x, (2, 3)).is_ok());
        for (channels, size) in [(2, (2, 2)), (3, (2, 3)), (2, (0, 3))] {
            let error = conv(channels).forward(&x, size).unwrap_err();
            assert!(error.to_string().contains("depthwise"), "{error}");
        }
    }
}
