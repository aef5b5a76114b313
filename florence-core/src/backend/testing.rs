//! Seeded values and layers, and comparisons of two backends.

use std::ops::Range;

use candle_core::{Result, Shape, Tensor};

use super::cpu::{Isa, Linear};
use super::{Backend, Candle, Cpu, Dims};
use crate::checkpoint::Parameter;
use crate::precision::Precision;

/// Seeded values around 0 of about unit size.
pub(crate) fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 3.4
        })
        .collect()
}

/// Asserts that no value is further than `tolerance` from the right one, relative to the largest.
pub(crate) fn close(found: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(found.len(), right.len());
    let largest = right.iter().fold(1f32, |max, v| max.max(v.abs()));
    for (at, (found, right)) in found.iter().zip(right).enumerate() {
        let off = (found - right).abs() / largest;
        assert!(off <= tolerance, "value {at}: {found} is not {right}");
    }
}

pub(crate) fn tensor(values: &[f32], shape: impl Into<Shape>) -> Tensor {
    Tensor::from_slice(values, shape.into(), &candle_core::Device::Cpu).unwrap()
}

pub(crate) fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// The reference backend.
pub(crate) fn candle() -> Candle {
    Candle::new(candle_core::Device::Cpu, candle_core::DType::F32)
}

/// The kernels of one instruction set.
pub(crate) fn kernels(isa: Isa) -> Cpu {
    Cpu::with(isa, Precision::F32)
}

/// A reader that packs a weight `(outputs, inputs)` from memory.
pub(crate) fn rows_of(
    weight: &[f32],
    inputs: usize,
) -> impl Fn(Range<usize>, &mut [f32]) -> std::result::Result<(), ()> {
    move |rows, to| {
        to.copy_from_slice(&weight[rows.start * inputs..rows.end * inputs]);
        Ok(())
    }
}

/// A parameter of seeded values, `scale` times unit size.
pub(crate) fn parameter(shape: &[usize], scale: f32, seed: u64) -> Parameter {
    let mut values = random(shape.iter().product(), seed);
    values.iter_mut().for_each(|v| *v *= scale);
    Parameter::from_values(&format!("seeded {shape:?} {seed}"), shape, values)
}

/// A linear layer of seeded values.
pub(crate) fn linear<B: Backend>(
    backend: &B,
    inputs: usize,
    outputs: usize,
    seed: u64,
) -> B::Linear {
    let scale = (inputs as f32).powf(-0.5);
    let weight = parameter(&[outputs, inputs], scale, seed);
    let bias = parameter(&[outputs], 1.0, seed + 100);
    backend.linear(&[weight], &[bias]).unwrap()
}

/// A normalization of seeded values.
pub(crate) fn norm<B: Backend>(backend: &B, dim: usize, seed: u64) -> B::LayerNorm {
    let (weight, bias) = (
        parameter(&[dim], 1.0, seed),
        parameter(&[dim], 1.0, seed + 1),
    );
    backend.layer_norm(&weight, &bias, 1e-5).unwrap()
}

/// The weight `(outputs, inputs)` of a layer.
pub(crate) fn weight_of(layer: &Linear) -> Tensor {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let mut values = vec![0.0; outputs * inputs];
    for (output, row) in values.chunks_exact_mut(inputs).enumerate() {
        layer.weight().output(output, row);
    }
    tensor(&values, (outputs, inputs))
}

/// A linear layer by candle's matrix product.
pub(crate) fn slow_linear(x: &Tensor, layer: &Linear) -> Result<Tensor> {
    let bias = tensor(layer.bias(), layer.outputs());
    x.broadcast_matmul(&weight_of(layer).t()?)?
        .broadcast_add(&bias)
}

/// An operation on activations that any backend can run.
pub(crate) trait Operation {
    fn run<B: Backend>(&self, backend: &B, x: B::Tensor) -> Result<B::Tensor>;
}

/// Asserts that the kernels of every instruction set compute what candle does.
pub(crate) fn agree(operation: &impl Operation, x: &Tensor, tolerance: f32) -> Result<()> {
    fn run<B: Backend>(backend: &B, operation: &impl Operation, x: &Tensor) -> Result<Tensor> {
        backend.output(operation.run(backend, backend.input(x)?)?)
    }
    let right = run(&candle(), operation, x)?;
    for isa in Isa::all() {
        let found = run(&kernels(isa), operation, x)?;
        assert_eq!(found.dims(), right.dims(), "{isa:?}");
        close(&values(&found), &values(&right), tolerance);
    }
    Ok(())
}
