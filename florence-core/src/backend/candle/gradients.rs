//! Gradients of every operation, checked against finite differences in `f64`.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::{Candle, Variables};
use crate::backend::testing::{linear, norm, parameter, random};
use crate::backend::{
    Attention, Backend, CrossAttention, Mlp, NormAt, PatchEmbed, Patches, VisualPositions,
};

/// Step of the central differences: half the distance of the two points.
const STEP: f64 = 1e-5;

/// Largest error, relative to the larger of the two derivatives. candle's
/// derivative of GELU has a constant of six digits.
const TOLERANCE: f64 = 2e-4;

/// Entries that are checked of each variable.
const ENTRIES: usize = 12;

fn input(shape: (usize, usize, usize), seed: u64) -> Tensor {
    let values = random(shape.0 * shape.1 * shape.2, seed);
    let x = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
    x.to_dtype(DType::F64).unwrap()
}

/// A weighted sum, so that every value of `y` counts, and differently.
fn loss(y: &Tensor) -> Result<Tensor> {
    let weights = random(y.elem_count(), 99);
    let weights = Tensor::from_vec(weights, y.shape(), y.device())?.to_dtype(DType::F64)?;
    (y * weights)?.sum_all()
}

/// Asserts that every variable, and the input, has the gradient that finite differences of the loss
/// give. `build` makes the layer on a backend, `run` uses it.
fn check<L>(
    shape: (usize, usize, usize),
    build: impl Fn(&Candle) -> L,
    run: impl Fn(&Candle, &L, Tensor) -> Result<Tensor>,
) -> Result<()> {
    let variables = Variables::default();
    let backend = Candle::trainable(Device::Cpu, DType::F64, &variables);
    let layer = build(&backend);
    let x = Var::from_tensor(&input(shape, 7))?;
    let value = || loss(&run(&backend, &layer, x.as_tensor().clone())?);
    let gradients = value()?.backward()?;
    let mut all = variables.all();
    assert!(!all.is_empty());
    all.push(("the input".to_owned(), x.clone()));
    for (name, variable) in all {
        let Some(gradient) = gradients.get(&variable) else {
            panic!("{name} has no gradient");
        };
        let gradient = gradient.flatten_all()?.to_vec1::<f64>()?;
        let stored = variable.as_tensor().copy()?;
        let values = stored.flatten_all()?.to_vec1::<f64>()?;
        for entry in (0..values.len()).step_by(values.len().div_ceil(ENTRIES)) {
            let at = |step: f64| {
                let mut values = values.clone();
                values[entry] += step;
                variable.set(&Tensor::from_vec(values, stored.shape(), &Device::Cpu)?)?;
                value()?.to_scalar::<f64>()
            };
            let difference = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
            let error = (difference - gradient[entry]).abs();
            let size = difference.abs().max(gradient[entry].abs()).max(1e-2);
            assert!(
                error <= TOLERANCE * size,
                "{name}[{entry}]: {} against {difference}",
                gradient[entry]
            );
        }
        variable.set(&stored)?;
    }
    Ok(())
}

fn attention(backend: &Candle, dim: usize, heads: usize) -> Attention<Candle> {
    let (qkv, proj) = (
        linear(backend, dim, 3 * dim, 1),
        linear(backend, dim, dim, 2),
    );
    Attention::new(norm(backend, dim, 3), qkv, proj, heads).unwrap()
}

#[test]
fn patch_embeddings() -> Result<()> {
    for norm_at in [NormAt::Input, NormAt::Output] {
        let patches = Patches {
            kernel: 3,
            stride: 2,
            padding: 1,
        };
        let build = |backend: &Candle| {
            let weight = parameter(&[5, 4, 3, 3], 0.3, 1);
            let conv = backend.conv(&weight, &parameter(&[5], 1.0, 2)).unwrap();
            let normed = if norm_at == NormAt::Input { 4 } else { 5 };
            PatchEmbed::new(patches, conv, norm(backend, normed, 3), norm_at).unwrap()
        };
        check((2, 20, 4), build, |b, layer, x| {
            b.patch_embed(x, (4, 5), layer)
        })?;
    }
    Ok(())
}

#[test]
fn depthwise_convolutions() -> Result<()> {
    let build = |backend: &Candle| {
        let weight = parameter(&[3, 1, 3, 3], 1.0, 1);
        backend
            .depthwise(&weight, &parameter(&[3], 1.0, 2))
            .unwrap()
    };
    check((2, 12, 3), build, |b, conv, x| {
        b.depthwise_residual(x, (3, 4), conv)
    })
}

#[test]
fn window_attentions() -> Result<()> {
    check(
        (1, 20, 6),
        |backend| attention(backend, 6, 2),
        |b, layer, x| b.window_attention(x, (4, 5), layer, 3),
    )
}

#[test]
fn channel_attentions() -> Result<()> {
    check(
        (2, 7, 6),
        |backend| attention(backend, 6, 3),
        |b, layer, x| b.channel_attention(x, layer),
    )
}

#[test]
fn mlps() -> Result<()> {
    for norm_at in [NormAt::Input, NormAt::Output] {
        let build = |backend: &Candle| {
            let (fc1, fc2) = (linear(backend, 6, 9, 1), linear(backend, 9, 6, 2));
            Mlp::new(norm(backend, 6, 3), norm_at, fc1, fc2).unwrap()
        };
        check((2, 4, 6), build, |b, layer, x| b.mlp(x, layer))?;
    }
    Ok(())
}

#[test]
fn visual_positions_and_pools() -> Result<()> {
    let build = |backend: &Candle| VisualPositions::<Candle> {
        columns: backend.table(&parameter(&[5, 2], 1.0, 1)).unwrap(),
        rows: backend.table(&parameter(&[5, 2], 1.0, 2)).unwrap(),
        frames: backend.table(&parameter(&[2, 4], 1.0, 3)).unwrap(),
    };
    check((2, 6, 4), build, |b, positions, x| {
        let x = b.add_visual_positions(x, (2, 3), positions)?;
        b.concat(&[&b.mean(&x)?, &x])
    })
}

#[test]
fn attention_to_a_sequence_with_padding() -> Result<()> {
    check(
        (2, 5, 6),
        |backend| attention(backend, 6, 2),
        |b, layer, x| b.self_attention(x, layer, &[5, 3]),
    )
}

#[test]
fn causal_attention() -> Result<()> {
    check(
        (2, 5, 6),
        |backend| attention(backend, 6, 2),
        |b, layer, x| {
            let mut cache = b.kv_cache(1, 2, 2, 6);
            b.cached_attention(x, layer, &mut cache, 0)
        },
    )
}

#[test]
fn cross_attention_to_the_encoder() -> Result<()> {
    let build = |backend: &Candle| CrossAttention {
        norm: norm(backend, 6, 1),
        query: linear(backend, 6, 6, 2),
        keys_values: linear(backend, 6, 12, 3),
        proj: linear(backend, 6, 6, 4),
        heads: 2,
    };
    check((2, 4, 6), build, |b, layer, x| {
        let kv = b.encoder_kv(&x, std::iter::once(layer), &[4, 2])?;
        b.cross_attention(x, layer, &kv, 0)
    })
}

#[test]
fn tokens_positions_and_the_head() -> Result<()> {
    let build = |backend: &Candle| {
        let positions = parameter(&[6, 4], 1.0, 3);
        (linear(backend, 4, 9, 1), backend.table(&positions).unwrap())
    };
    check((2, 3, 4), build, |b, (table, positions), x| {
        let embedded = b.embed(table, &[3, 1, 8, 0, 3, 5], 3, 2.0)?;
        let x = b.add_positions((x + embedded)?, positions, 2)?;
        b.project(&x, table)
    })
}
