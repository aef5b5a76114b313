//! Each kernel beside candle's own operations, on shapes of Florence-2-base.
//! Results are compared before they are measured.
// The baseline.
#![allow(clippy::disallowed_methods)]

use std::time::Duration;

use candle_nn::ops::{layer_norm, softmax_last_dim};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use florence_benches::random::{tensor, weight};
use florence_core::Precision;
use florence_core::candle::quantized::{GgmlDType, QMatMul, QTensor};
use florence_core::candle::{Module, Result, Tensor};
use florence_core::kernels::{
    ChannelAttention, CrossAttention, Depthwise, KvCache, LayerNorm, Linear, Mlp, PatchEmbed,
    WindowAttention, self_attention,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EPS: f32 = 1e-5;
/// Tokens and channels of the stage that nine of twelve pairs of blocks are in.
const SIDE: usize = 48;
const DIM: usize = 512;
/// Visual tokens and a prompt, and their width.
const SOURCE: usize = 590;
const TEXT: usize = 768;

/// Measures ours and candle's, once they agree to `tolerance` of the largest value.
fn versus(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    tolerance: f32,
    ours: impl Fn() -> Result<Tensor>,
    candles: impl Fn() -> Result<Tensor>,
) {
    let check = || -> Result<(f32, f32)> {
        let (ours, candles) = (ours()?.flatten_all()?, candles()?.flatten_all()?);
        let most = |x: Tensor| x.abs()?.max(0)?.to_vec0::<f32>();
        Ok((most((ours - &candles)?)?, most(candles)?))
    };
    let (off, largest) = check().unwrap();
    assert!(off <= tolerance * largest, "{name}: {off} off of {largest}");
    group.bench_function(format!("{name}/ours"), |b| b.iter(|| ours().unwrap()));
    group.bench_function(format!("{name}/candle"), |b| b.iter(|| candles().unwrap()));
}

/// A linear layer as a candle user writes it.
struct Dense {
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    fn new(inputs: usize, outputs: usize, seed: u64) -> Result<Self> {
        Ok(Self {
            weight: weight(outputs, inputs, true, seed)?,
            bias: tensor(outputs, seed + 1)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.broadcast_matmul(&self.weight.t()?)?
            .broadcast_add(&self.bias)
    }

    fn ours(&self, precision: Precision) -> Result<Linear> {
        Linear::new(&self.weight, &self.bias, precision)
    }
}

/// Weight and bias of a layer norm.
fn norm(dim: usize) -> Result<(Tensor, Tensor)> {
    Ok(((tensor(dim, 91)? + 1.0)?, tensor(dim, 92)?))
}

fn our_norm((weight, bias): &(Tensor, Tensor)) -> Result<LayerNorm> {
    LayerNorm::new(weight, bias, EPS)
}

fn linear(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    let (inputs, outputs) = (TEXT, 4 * TEXT);
    let bias = tensor(outputs, 1)?;
    for rows in [SOURCE, 3, 1] {
        let x = tensor((rows, inputs), 2)?;
        for narrow in [false, true] {
            let weight = weight(outputs, inputs, narrow, 3)?;
            let layer = Linear::new(&weight, &bias, Precision::F32)?;
            let weight = weight.t()?;
            versus(
                group,
                &format!("linear {} {rows} rows", if narrow { "f16" } else { "f32" }),
                1e-5,
                || layer.forward(&x),
                || x.matmul(&weight)?.broadcast_add(&bias),
            );
        }
        let weight = weight(outputs, inputs, true, 3)?;
        let layer = Linear::new(&weight, &bias, Precision::Q8_0)?;
        let weight = QMatMul::from_qtensor(QTensor::quantize(&weight, GgmlDType::Q8_0)?)?;
        versus(
            group,
            &format!("linear q8_0 {rows} rows"),
            2e-2,
            || layer.forward(&x),
            || weight.forward(&x)?.broadcast_add(&bias),
        );
    }
    // The output head.
    let dense = Dense::new(TEXT, 51_289, 4)?;
    let layer = dense.ours(Precision::F32)?;
    let x = tensor((3, TEXT), 5)?;
    versus(
        group,
        "head f16 3 rows",
        1e-5,
        || layer.forward(&x),
        || dense.forward(&x),
    );
    Ok(())
}

fn gelu(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    let dense = Dense::new(TEXT, 4 * TEXT, 1)?;
    let layer = dense.ours(Precision::F32)?;
    let x = tensor((SOURCE, TEXT), 2)?;
    versus(
        group,
        "linear and gelu",
        1e-5,
        || layer.forward_gelu(&x),
        || dense.forward(&x)?.gelu_erf(),
    );
    // A layer of one input is nothing but the function.
    let layer = Linear::new(
        &Tensor::ones_like(&tensor((4 * TEXT, 1), 0)?)?,
        &tensor(4 * TEXT, 3)?,
        Precision::F32,
    )?;
    let bias = tensor(4 * TEXT, 3)?;
    let x = tensor((SOURCE, 1), 4)?;
    let sums = x.broadcast_add(&bias.unsqueeze(0)?)?;
    versus(
        group,
        "gelu",
        1e-5,
        || layer.forward_gelu(&x),
        || sums.gelu_erf(),
    );
    Ok(())
}

fn mlp(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    let x = tensor((1, SIDE * SIDE, DIM), 1)?;
    let norms = norm(DIM)?;
    let (fc1, fc2) = (Dense::new(DIM, 4 * DIM, 2)?, Dense::new(4 * DIM, DIM, 3)?);
    for precision in [Precision::F32, Precision::Q8_0] {
        let (first, second) = (fc1.ours(precision)?, fc2.ours(precision)?);
        let block = Mlp::new(our_norm(&norms)?, first, second)?;
        versus(
            group,
            &format!("mlp {precision}"),
            if precision == Precision::F32 {
                1e-5
            } else {
                2e-2
            },
            || block.forward(&x),
            || {
                let normed = layer_norm(&x, &norms.0, &norms.1, EPS)?;
                &x + fc2.forward(&fc1.forward(&normed)?.gelu_erf()?)?
            },
        );
    }
    Ok(())
}

fn depthwise(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    let x = tensor((1, SIDE * SIDE, DIM), 1)?;
    let (kernel, bias) = (tensor((DIM, 1, 3, 3), 2)?, tensor(DIM, 3)?);
    let layer = Depthwise::new(&kernel, &bias)?;
    // candle's is given its own order, and spared the way there and back.
    let map = x.transpose(1, 2)?.reshape((1, DIM, SIDE, SIDE))?;
    let added = bias.reshape((1, DIM, 1, 1))?;
    let conv = || (&map + map.conv2d(&kernel, 1, 1, 1, DIM)?)?.broadcast_add(&added);
    let channels_last = |map: Tensor| map.flatten_from(2)?.transpose(1, 2)?.contiguous();
    let ours = || layer.forward(&x, (SIDE, SIDE));
    versus(group, "depthwise, and transposed", 1e-5, ours, || {
        channels_last(conv()?)
    });
    group.bench_function("depthwise/candle", |b| b.iter(|| conv().unwrap()));
    Ok(())
}

fn layer_norms(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    let x = tensor((1, SIDE * SIDE, DIM), 1)?;
    let norms = norm(DIM)?;
    let layer = our_norm(&norms)?;
    versus(
        group,
        "layer norm",
        1e-5,
        || layer.forward(&x),
        || layer_norm(&x, &norms.0, &norms.1, EPS),
    );
    Ok(())
}

/// `softmax(q · kᵀ · scale) · v`
fn attention(q: &Tensor, k: &Tensor, v: &Tensor, scale: f64) -> Result<Tensor> {
    let scores = (q * scale)?
        .contiguous()?
        .matmul(&k.transpose(2, 3)?.contiguous()?)?;
    softmax_last_dim(&scores)?.matmul(&v.contiguous()?)
}

/// `(batch, len, 3·heads·width)` to three of `(batch, heads, len, width)`.
fn heads_of(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, len, columns) = qkv.dims3()?;
    let shape = (batch, len, 3, heads, columns / 3 / heads);
    qkv.reshape(shape)?.permute((2, 0, 3, 1, 4))
}

fn window_attention(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    const WINDOW: usize = 12;
    const HEADS: usize = 16;
    let x = tensor((1, SIDE * SIDE, DIM), 1)?;
    let norms = norm(DIM)?;
    let (qkv, proj) = (Dense::new(DIM, 3 * DIM, 2)?, Dense::new(DIM, DIM, 3)?);
    let layer = WindowAttention::new(
        our_norm(&norms)?,
        qkv.ours(Precision::F32)?,
        proj.ours(Precision::F32)?,
        HEADS,
        WINDOW,
    )?;
    let across = SIDE / WINDOW;
    versus(
        group,
        "window attention",
        1e-5,
        || layer.forward(&x, (SIDE, SIDE)),
        || {
            let windows = layer_norm(&x, &norms.0, &norms.1, EPS)?
                .reshape((across, WINDOW, across, WINDOW * DIM))?
                .transpose(1, 2)?
                .reshape((across * across, WINDOW * WINDOW, DIM))?;
            let parts = heads_of(&qkv.forward(&windows)?, HEADS)?;
            let scale = ((DIM / HEADS) as f64).powf(-0.5);
            let mixed = attention(&parts.get(0)?, &parts.get(1)?, &parts.get(2)?, scale)?;
            let mixed = mixed.transpose(1, 2)?.flatten_from(2)?;
            let back = proj
                .forward(&mixed)?
                .reshape((across, across, WINDOW, WINDOW * DIM))?
                .transpose(1, 2)?
                .reshape((1, SIDE * SIDE, DIM))?;
            &x + back
        },
    );
    Ok(())
}

fn channel_attention(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    const GROUPS: usize = 16;
    let x = tensor((1, SIDE * SIDE, DIM), 1)?;
    let norms = norm(DIM)?;
    let (qkv, proj) = (Dense::new(DIM, 3 * DIM, 2)?, Dense::new(DIM, DIM, 3)?);
    let layer = ChannelAttention::new(
        our_norm(&norms)?,
        qkv.ours(Precision::F32)?,
        proj.ours(Precision::F32)?,
        GROUPS,
    )?;
    versus(
        group,
        "channel attention",
        1e-5,
        || layer.forward(&x),
        || {
            let normed = layer_norm(&x, &norms.0, &norms.1, EPS)?;
            let parts = heads_of(&qkv.forward(&normed)?, GROUPS)?;
            let part = |index| parts.get(index)?.transpose(2, 3);
            let scale = ((SIDE * SIDE) as f64).powf(-0.5);
            let mixed = attention(&part(0)?, &part(1)?, &part(2)?, scale)?;
            // (batch, groups, width, tokens) back to (batch, tokens, dim)
            let mixed = mixed.flatten(1, 2)?.transpose(1, 2)?.contiguous()?;
            &x + proj.forward(&mixed)?
        },
    );
    Ok(())
}

fn patch_embed(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    // The first: pixels; and the third: most of the work.
    for (index, kernel, stride, padding, side, input, output) in
        [(0, 7, 4, 3, 768, 3, 128), (2, 3, 2, 1, 96, 256, 512)]
    {
        let kernels = weight(output, input * kernel * kernel, true, 1)?;
        let kernels = kernels.reshape((output, input, kernel, kernel))?;
        let bias = tensor(output, 2)?;
        let layer = PatchEmbed::new(&kernels, &bias, stride, padding)?;
        let x = tensor((1, side * side, input), 3)?;
        let map = x.transpose(1, 2)?.reshape((1, input, side, side))?;
        let added = bias.reshape((1, output, 1, 1))?;
        versus(
            group,
            &format!("patch embedding {index}"),
            1e-5,
            || layer.forward(&x, (side, side)),
            || {
                let map = map
                    .conv2d(&kernels, padding, stride, 1, 1)?
                    .broadcast_add(&added)?;
                map.flatten_from(2)?.transpose(1, 2)?.contiguous()
            },
        );
    }
    Ok(())
}

fn text_attention(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    const HEADS: usize = 12;
    let scale = ((TEXT / HEADS) as f64).powf(-0.5);
    let qkv = tensor((1, SOURCE, 3 * TEXT), 1)?;
    versus(
        group,
        "self-attention",
        1e-5,
        || self_attention(&qkv, HEADS),
        || {
            let parts = heads_of(&qkv, HEADS)?;
            let mixed = attention(&parts.get(0)?, &parts.get(1)?, &parts.get(2)?, scale)?;
            mixed.transpose(1, 2)?.flatten_from(2)
        },
    );
    let keys_values = tensor((SOURCE, 2 * TEXT), 2)?;
    let ours = CrossAttention::new(&keys_values, HEADS)?;
    let split = |x: Tensor| x.unsqueeze(0)?.transpose(1, 2)?.contiguous();
    let part = |index| {
        let part = keys_values.narrow(1, index * TEXT, TEXT)?.contiguous()?;
        split(part.reshape((SOURCE, HEADS, TEXT / HEADS))?)
    };
    let (keys, values) = (part(0)?, part(1)?);
    for beams in [1, 3] {
        let queries = tensor((beams, TEXT), 3)?;
        versus(
            group,
            &format!("cross-attention {beams} beams"),
            1e-5,
            || ours.forward(&queries),
            || {
                let queries = split(queries.reshape((beams, HEADS, TEXT / HEADS))?)?;
                let mixed = attention(&queries, &keys, &values, scale)?;
                mixed.transpose(1, 2)?.reshape((beams, TEXT))
            },
        );
    }
    Ok(())
}

/// The self-attention of a layer in an answer of 64 tokens, three beams.
fn step_attention(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<()> {
    const HEADS: usize = 12;
    const BEAMS: usize = 3;
    const STEPS: usize = 64;
    let scale = ((TEXT / HEADS) as f64).powf(-0.5);
    let steps = (0..STEPS)
        .map(|step| tensor((BEAMS, 3 * TEXT), step as u64))
        .collect::<Result<Vec<_>>>()?;
    versus(
        group,
        "step attention 64 tokens 3 beams",
        1e-5,
        || {
            let mut past = KvCache::new(BEAMS, HEADS, TEXT);
            let outs = steps.iter().map(|qkv| past.step(qkv));
            Tensor::stack(&outs.collect::<Result<Vec<_>>>()?, 1)
        },
        || {
            let mut outs = Vec::new();
            let mut past: Option<(Tensor, Tensor)> = None;
            for qkv in &steps {
                let qkv = heads_of(&qkv.unsqueeze(1)?, HEADS)?;
                let (mut keys, mut values) = (qkv.get(1)?, qkv.get(2)?);
                if let Some((k, v)) = past {
                    keys = Tensor::cat(&[k, keys], 2)?;
                    values = Tensor::cat(&[v, values], 2)?;
                }
                let mixed = attention(&qkv.get(0)?, &keys, &values, scale)?;
                outs.push(mixed.transpose(1, 2)?.reshape((BEAMS, TEXT))?);
                past = Some((keys, values));
            }
            Tensor::stack(&outs, 1)
        },
    );
    Ok(())
}

fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernels");
    let all = [
        linear,
        gelu,
        mlp,
        depthwise,
        layer_norms,
        window_attention,
        channel_attention,
        patch_embed,
        text_attention,
        step_attention,
    ];
    for kernel in all {
        kernel(&mut group).unwrap();
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(benches);
