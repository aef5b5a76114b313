//! The operation on CUDA: `kernel.cu`, compiled to the PTX beside it (`tools/cuda/depthwise.sh`).

#![allow(unsafe_code)]

use std::ops::Range;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{DeviceRepr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaStorage, DType, Result, bail};
use half::{bf16, f16};

const PTX: &str = include_str!("kernel.ptx");

/// Maximum threads of a block; a block computes one token.
const MOST_THREADS: u32 = 256;

/// Launches the kernel for the type of `x`; the ranges are of `x`, `taps` and `bias`.
pub(super) fn run(
    tensors: [&CudaStorage; 3],
    ranges: [Range<usize>; 3],
    size: (usize, usize),
    channels: usize,
) -> Result<CudaStorage> {
    match tensors[0].dtype() {
        DType::F32 => launch::<f32>("depthwise_f32", tensors, ranges, size, channels),
        DType::F16 => launch::<f16>("depthwise_f16", tensors, ranges, size, channels),
        DType::BF16 => launch::<bf16>("depthwise_bf16", tensors, ranges, size, channels),
        other => bail!("depthwise: no CUDA kernel for {other:?}"),
    }
}

fn launch<T: CudaDType + DeviceRepr>(
    kernel: &str,
    [x, taps, bias]: [&CudaStorage; 3],
    [x_range, taps_range, bias_range]: [Range<usize>; 3],
    (height, width): (usize, usize),
    channels: usize,
) -> Result<CudaStorage> {
    let device = x.device().clone();
    let count = x_range.len();
    let x = x.as_cuda_slice::<T>()?.slice(x_range);
    let taps = taps.as_cuda_slice::<T>()?.slice(taps_range);
    let bias = bias.as_cuda_slice::<T>()?.slice(bias_range);
    let function = device.get_or_load_custom_func(kernel, "florence_depthwise", PTX)?;
    // SAFETY: the kernel writes every one of the `count` values before anything reads them.
    let out = unsafe { device.alloc::<T>(count)? };
    let (tokens, threads) = (
        (count / channels) as u32,
        (channels as u32).min(MOST_THREADS),
    );
    let config = LaunchConfig {
        grid_dim: (tokens, 1, 1),
        block_dim: (threads, 1, 1),
        shared_mem_bytes: 0,
    };
    let (height, width, channels) = (height as i32, width as i32, channels as i32);
    let mut builder = function.builder();
    builder.arg(&x).arg(&taps).arg(&bias).arg(&out);
    builder.arg(&height).arg(&width).arg(&channels);
    // SAFETY: the arguments are those of the kernel in number, order and type; `Residual::channels`
    // has compared the shapes, by which the kernel indexes: x and out `tokens·channels`, where tokens
    // are whole maps of height·width, taps `9·channels`, bias `channels`.
    unsafe { builder.launch(config) }.w()?;
    Ok(CudaStorage::wrap_cuda_slice(out, device))
}
