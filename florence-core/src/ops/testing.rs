//! Numbers for the tests of the kernels, and how far results may be apart.

use std::ops::Range;

use candle_core::{Device, Result, Shape, Tensor};

use super::affine::Affine;
use super::weight::Weight;

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

/// Asserts that no value is further than `tolerance` from the right one,
/// relative to the largest.
pub(crate) fn close(found: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(found.len(), right.len());
    let largest = right.iter().fold(1f32, |max, v| max.max(v.abs()));
    for (at, (found, right)) in found.iter().zip(right).enumerate() {
        let off = (found - right).abs() / largest;
        assert!(off <= tolerance, "value {at}: {found} is not {right}");
    }
}

pub(crate) fn tensor(values: &[f32], shape: impl Into<Shape>) -> Tensor {
    Tensor::from_slice(values, shape.into(), &Device::Cpu).unwrap()
}

/// What packs a weight `(outputs, inputs)` from memory.
pub(crate) fn rows_of(
    weight: &[f32],
    inputs: usize,
) -> impl Fn(Range<usize>, &mut [f32]) -> std::result::Result<(), ()> {
    move |rows, to| {
        to.copy_from_slice(&weight[rows.start * inputs..rows.end * inputs]);
        Ok(())
    }
}

/// A linear layer of seeded values.
pub(crate) fn affine(inputs: usize, outputs: usize, seed: u64) -> Affine {
    let scale = (inputs as f32).powf(-0.5);
    let mut weight = random(outputs * inputs, seed);
    weight.iter_mut().for_each(|v| *v *= scale);
    let weight = Weight::exactly(outputs, inputs, rows_of(&weight, inputs));
    Affine::new(weight.unwrap(), Some(random(outputs, seed + 100))).unwrap()
}

/// The weight `(outputs, inputs)` of a layer.
pub(crate) fn weight_of(layer: &Affine) -> Tensor {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let mut values = vec![0.0; outputs * inputs];
    for (output, row) in values.chunks_exact_mut(inputs).enumerate() {
        layer.weight().output(output, row);
    }
    tensor(&values, (outputs, inputs))
}

/// A linear layer by candle's matrix product.
pub(crate) fn slow_affine(x: &Tensor, layer: &Affine) -> Result<Tensor> {
    let bias = tensor(layer.bias(), layer.outputs());
    x.broadcast_matmul(&weight_of(layer).t()?)?
        .broadcast_add(&bias)
}
