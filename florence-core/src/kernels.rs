//! The kernels of the network on the caller's tensors, for this workspace's benches. Not part of
//! the API: it changes with the kernels.
#![allow(missing_docs)]

use candle_core::{Device, Result, Tensor};

use crate::backend::cpu::{self, Activation, EncoderKv, Isa, LayerCache, Rows};
use crate::backend::{self, Attention, Backend, Cpu, Dims, NormAt, Patches};
use crate::checkpoint::Parameter;
use crate::error::Error;
use crate::precision::Precision;

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn parameter(tensor: &Tensor) -> Result<Parameter> {
    let values = values(tensor)?;
    Ok(Parameter::from_values("bench", tensor.dims(), values))
}

fn candle(error: Error) -> candle_core::Error {
    candle_core::Error::wrap(error)
}

fn cpu() -> Cpu {
    Cpu::new(Precision::F32)
}

/// Runs an operation on a tensor `(batch, tokens, dim)`, or `(tokens, dim)`.
fn run(
    x: &Tensor,
    operation: impl FnOnce(Cpu, <Cpu as Backend>::Tensor) -> Result<<Cpu as Backend>::Tensor>,
) -> Result<Tensor> {
    let rows = x.rank() == 2;
    let x = if rows { x.unsqueeze(0)? } else { x.clone() };
    let y = cpu().output(operation(cpu(), cpu().input(&x)?)?)?;
    if rows { y.squeeze(0) } else { Ok(y) }
}

/// `weight: (outputs, inputs)`, `bias: (outputs)`.
#[derive(Debug)]
pub struct Linear(cpu::Linear);

impl Linear {
    pub fn new(weight: &Tensor, bias: &Tensor, precision: Precision) -> Result<Self> {
        let layer = Cpu::new(precision).linear(&[parameter(weight)?], &[parameter(bias)?]);
        Ok(Self(layer.map_err(candle)?))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        run(x, |cpu, x| cpu.project(&x, &self.0))
    }

    pub fn forward_gelu(&self, x: &Tensor) -> Result<Tensor> {
        run(x, |_, x| {
            let mut out = vec![0.0; x.rows() * self.0.outputs()];
            self.0
                .forward_into(Isa::best(), x.view(), Activation::Gelu, &mut out);
            x.with(out, x.tokens, self.0.outputs())
        })
    }
}

/// `weight` and `bias`: `(dim)`.
#[derive(Debug)]
pub struct LayerNorm(cpu::LayerNorm);

impl LayerNorm {
    pub fn new(weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Self> {
        Ok(Self(cpu::LayerNorm::new(
            values(weight)?,
            values(bias)?,
            eps,
        )?))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        run(x, |cpu, x| cpu.normalize(x, &self.0))
    }
}

/// `x + fc2(gelu(fc1(norm(x))))`
#[derive(Debug)]
pub struct Mlp(backend::Mlp<Cpu>);

impl Mlp {
    pub fn new(norm: LayerNorm, fc1: Linear, fc2: Linear) -> Result<Self> {
        let mlp = backend::Mlp::new(norm.0, NormAt::Input, fc1.0, fc2.0)?;
        Ok(Self(mlp))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        run(x, |cpu, x| cpu.mlp(x, &self.0))
    }
}

/// `weight: (channels, 1, 3, 3)`, `bias: (channels)`.
#[derive(Debug)]
pub struct Depthwise(cpu::Depthwise);

impl Depthwise {
    pub fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        let conv = cpu().depthwise(&parameter(weight)?, &parameter(bias)?);
        Ok(Self(conv.map_err(candle)?))
    }

    /// `x + conv(x)`
    pub fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        run(x, |cpu, x| cpu.depthwise_residual(x, size, &self.0))
    }
}

/// `x + proj(attention(qkv(norm(x))))` within windows.
#[derive(Debug)]
pub struct WindowAttention(Attention<Cpu>, usize);

impl WindowAttention {
    pub fn new(
        norm: LayerNorm,
        qkv: Linear,
        proj: Linear,
        heads: usize,
        window: usize,
    ) -> Result<Self> {
        let attention = Attention::new(norm.0, qkv.0, proj.0, heads)?;
        Ok(Self(attention, window))
    }

    pub fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        run(x, |cpu, x| cpu.window_attention(x, size, &self.0, self.1))
    }
}

/// `x + proj(attention(qkv(norm(x))))` within groups of channels.
#[derive(Debug)]
pub struct ChannelAttention(Attention<Cpu>);

impl ChannelAttention {
    pub fn new(norm: LayerNorm, qkv: Linear, proj: Linear, groups: usize) -> Result<Self> {
        Ok(Self(Attention::new(norm.0, qkv.0, proj.0, groups)?))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        run(x, |cpu, x| cpu.channel_attention(x, &self.0))
    }
}

/// A convolution `weight: (out, in, kernel, kernel)`.
#[derive(Debug)]
pub struct PatchEmbed(cpu::Linear, Patches);

impl PatchEmbed {
    pub fn new(weight: &Tensor, bias: &Tensor, stride: usize, padding: usize) -> Result<Self> {
        let kernel = weight.dim(3)?;
        let conv = cpu().conv(&parameter(weight)?, &parameter(bias)?);
        let patches = Patches {
            kernel,
            stride,
            padding,
        };
        Ok(Self(conv.map_err(candle)?, patches))
    }

    pub fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        run(x, |_, x| {
            let conv = (self.1, &self.0);
            let out = cpu::patch_embed(Isa::best(), conv, None, &x.values, size);
            let tokens = self.1.count(size.0) * self.1.count(size.1);
            x.with(out, tokens, self.0.outputs())
        })
    }
}

/// `qkv: (batch, len, 3·dim)` to `(batch, len, dim)`, all tokens attending to all.
pub fn self_attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, len, columns) = qkv.dims3()?;
    let (dim, lengths) = (columns / 3, vec![len; batch]);
    let qkv = values(qkv)?;
    let mut out = vec![0.0; batch * len * dim];
    cpu::self_attention(Isa::best(), &qkv, heads, dim, &lengths, &mut out);
    Tensor::from_vec(out, (batch, len, dim), &Device::Cpu)
}

/// Attention of some rows to one image.
#[derive(Debug)]
pub struct CrossAttention(EncoderKv);

impl CrossAttention {
    /// `keys_values: (source, 2·dim)`
    pub fn new(keys_values: &Tensor, heads: usize) -> Result<Self> {
        let (source, columns) = keys_values.dims2()?;
        let keys_values = values(keys_values)?;
        let rows = Rows::dense(&keys_values, source, columns);
        Ok(Self(EncoderKv {
            layers: vec![vec![cpu::ImageKv::pack(Isa::best(), rows, heads, source)]],
        }))
    }

    /// `queries: (rows, dim)` to `(rows, dim)`.
    pub fn forward(&self, queries: &Tensor) -> Result<Tensor> {
        let (rows, dim) = queries.dims2()?;
        let mut out = vec![0.0; rows * dim];
        cpu::cross_attention(
            Isa::best(),
            &values(queries)?,
            dim,
            &self.0.layers[0],
            &mut out,
        );
        Tensor::from_vec(out, (rows, dim), &Device::Cpu)
    }
}

/// KV cache of a decoder's own tokens in one layer.
#[derive(Debug)]
pub struct KvCache(LayerCache, usize);

impl KvCache {
    pub fn new(rows: usize, heads: usize, dim: usize) -> Self {
        Self(LayerCache::new(rows, heads, dim), rows)
    }

    /// Appends one token a row, `qkv: (rows, 3·dim)` to `(rows, dim)`.
    pub fn step(&mut self, qkv: &Tensor) -> Result<Tensor> {
        let (rows, columns) = qkv.dims2()?;
        let mut out = vec![0.0; rows * columns / 3];
        self.0.attend(Isa::best(), &values(qkv)?, self.1, &mut out);
        Tensor::from_vec(out, (rows, columns / 3), &Device::Cpu)
    }
}
