//! The operation on the CPU, and its gradient.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};
use half::{bf16, f16};
use rayon::prelude::*;

/// `x + bias + conv(x)` for `x: (batch, height·width, channels)`, `taps: (9, channels)` and
/// `bias: (channels)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Residual {
    /// Height and width of the map.
    pub(super) size: (usize, usize),
}

/// A float type and the type that its sums are accumulated in.
trait Float: WithDType {
    type Sum: Copy + std::ops::AddAssign + std::ops::Mul<Output = Self::Sum> + From<Self>;
    fn round(sum: Self::Sum) -> Self;
}

macro_rules! float {
    ($float:ty, $sum:ty, $round:expr) => {
        impl Float for $float {
            type Sum = $sum;
            fn round(sum: $sum) -> Self {
                $round(sum)
            }
        }
    };
}

float!(f32, f32, std::convert::identity);
float!(f64, f64, std::convert::identity);
float!(f16, f32, f16::from_f32);
float!(bf16, f32, bf16::from_f32);

impl Residual {
    /// The number of channels, if the shapes are consistent.
    pub(super) fn channels(&self, [x, taps, bias]: [&Layout; 3]) -> Result<usize> {
        let (_, tokens, channels) = x.shape().dims3()?;
        let (height, width) = self.size;
        let is_whole = tokens == height * width && tokens > 0;
        if !is_whole || taps.dims() != [9, channels] || bias.dims() != [channels] {
            bail!(
                "depthwise: x {:?}, taps {:?}, bias {:?}, expected (batch, {height}·{width}, channels), \
                 (9, channels), (channels)",
                x.dims(),
                taps.dims(),
                bias.dims()
            );
        }
        Ok(channels)
    }

    fn on_cpu<T: Float>(&self, x: &[T], taps: &[T], bias: &[T]) -> Vec<T> {
        let (height, width) = self.size;
        let channels = bias.len();
        let mut out = vec![T::zero(); x.len()];
        let rows = out.par_chunks_mut(width * channels).enumerate();
        rows.for_each_init(
            || vec![T::Sum::from(T::zero()); channels],
            |sums, (row, out)| {
                let (map, i) = (row / height * height, row % height);
                for (j, out) in out.chunks_mut(channels).enumerate() {
                    let pixel = |i: usize, j: usize| {
                        let at = ((map + i) * width + j) * channels;
                        &x[at..at + channels]
                    };
                    for ((sum, x), bias) in sums.iter_mut().zip(pixel(i, j)).zip(bias) {
                        *sum = T::Sum::from(*x);
                        *sum += T::Sum::from(*bias);
                    }
                    for (tap, taps) in taps.chunks(channels).enumerate() {
                        let (Some(i), Some(j)) =
                            ((i + tap / 3).checked_sub(1), (j + tap % 3).checked_sub(1))
                        else {
                            continue;
                        };
                        if i >= height || j >= width {
                            continue;
                        }
                        for ((sum, x), tap) in sums.iter_mut().zip(pixel(i, j)).zip(taps) {
                            *sum += T::Sum::from(*x) * T::Sum::from(*tap);
                        }
                    }
                    for (out, sum) in out.iter_mut().zip(sums.iter()) {
                        *out = T::round(*sum);
                    }
                }
            },
        );
        out
    }
}

impl CustomOp3 for Residual {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        taps: &CpuStorage,
        taps_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let layouts = [x_layout, taps_layout, bias_layout];
        self.channels(layouts)?;
        let [x_range, taps_range, bias_range] = contiguous(layouts)?;
        macro_rules! run {
            ($($kind:ident)*) => {
                match (x, taps, bias) {
                    $((CpuStorage::$kind(x), CpuStorage::$kind(taps), CpuStorage::$kind(bias)) => {
                        let (x, taps, bias) = (&x[x_range], &taps[taps_range], &bias[bias_range]);
                        CpuStorage::$kind(self.on_cpu(x, taps, bias))
                    })*
                    _ => bail!("depthwise: expected tensors of one float type"),
                }
            };
        }
        let out = run!(F32 F64 F16 BF16);
        Ok((out, x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        taps: &CudaStorage,
        taps_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let layouts = [x_layout, taps_layout, bias_layout];
        let channels = self.channels(layouts)?;
        let out = super::cuda::run([x, taps, bias], contiguous(layouts)?, self.size, channels)?;
        Ok((out, x_layout.shape().clone()))
    }

    /// The gradient of `x` is the same operation with the taps reversed; that of a tap is its input
    /// times the gradient of the output.
    fn bwd(
        &self,
        x: &Tensor,
        taps: &Tensor,
        bias: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let turned = taps.flip(&[0])?.contiguous()?;
        let of_x = gradient.apply_op3_no_bwd(&turned, &bias.zeros_like()?, self)?;
        let of_taps = super::shifts(x, self.size)?
            .map(|shifted| (shifted?.reshape(x.shape())? * &gradient)?.sum((0, 1)));
        let of_taps = of_taps.collect::<Result<Vec<_>>>()?;
        let of_bias = gradient.sum((0, 1))?;
        Ok((Some(of_x), Some(Tensor::stack(&of_taps, 0)?), Some(of_bias)))
    }
}

/// The ranges of the tensors' values, which have to be contiguous.
fn contiguous(layouts: [&Layout; 3]) -> Result<[std::ops::Range<usize>; 3]> {
    let [Some(x), Some(taps), Some(bias)] = layouts.map(Layout::contiguous_offsets) else {
        bail!("depthwise: expected contiguous tensors");
    };
    Ok([x, taps, bias].map(|(start, end)| start..end))
}
