//! The kernels of the network over tensors of one's own, for this workspace's
//! benches. Not part of the API: it changes as the kernels do.
#![allow(missing_docs)]

use std::convert::Infallible;
use std::ops::Range;

use candle_core::{Device, Result, Tensor};

use crate::ops::{self, Activation, Affine, Isa, Norm, NormAt, Patches, Rows, Source, Weight};
use crate::precision::Precision;

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// `weight: (outputs, inputs)`, `bias: (outputs)`.
#[derive(Debug)]
pub struct Linear(Affine);

impl Linear {
    pub fn new(weight: &Tensor, bias: &Tensor, precision: Precision) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        let weight = values(weight)?;
        let read = |rows: Range<usize>, to: &mut [f32]| {
            to.copy_from_slice(&weight[rows.start * inputs..rows.end * inputs]);
            Ok::<_, Infallible>(())
        };
        let weight = match precision {
            Precision::F32 => Weight::exactly(outputs, inputs, read),
            Precision::Q8_0 => Weight::quantized(outputs, inputs, read),
        };
        let Ok(weight) = weight;
        Ok(Self(Affine::new(weight, Some(values(bias)?))?))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::affine(x, &self.0, Activation::None)
    }

    pub fn forward_gelu(&self, x: &Tensor) -> Result<Tensor> {
        ops::affine(x, &self.0, Activation::Gelu)
    }
}

/// `weight` and `bias`: `(dim)`.
#[derive(Debug)]
pub struct LayerNorm(Norm);

impl LayerNorm {
    pub fn new(weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Self> {
        Ok(Self(Norm::new(values(weight)?, values(bias)?, eps)?))
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm(x, &self.0)
    }
}

/// `x += fc2(gelu(fc1(norm(x))))`
#[derive(Debug)]
pub struct Mlp(ops::Mlp);

impl Mlp {
    pub fn new(norm: LayerNorm, fc1: Linear, fc2: Linear) -> Result<Self> {
        Ok(Self(ops::Mlp::new(norm.0, NormAt::Input, fc1.0, fc2.0)?))
    }

    pub fn add_to(&self, x: &Tensor) -> Result<()> {
        ops::mlp(x, &self.0)
    }
}

/// `taps: (9, channels)`, `bias: (channels)`.
#[derive(Debug)]
pub struct Depthwise(ops::Depthwise);

impl Depthwise {
    pub fn new(taps: &Tensor, bias: &Tensor) -> Result<Self> {
        Ok(Self(ops::Depthwise::new(values(taps)?, values(bias)?)?))
    }

    /// `x + conv(x)`
    pub fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        ops::depthwise3x3_residual(x, size, &self.0)
    }
}

/// `x += proj(attention(qkv(norm(x))))` within windows.
#[derive(Debug)]
pub struct WindowAttention(ops::WindowAttention);

impl WindowAttention {
    pub fn new(
        norm: LayerNorm,
        qkv: Linear,
        proj: Linear,
        heads: usize,
        window: usize,
    ) -> Result<Self> {
        let attention = ops::WindowAttention::new(norm.0, qkv.0, proj.0, heads, window)?;
        Ok(Self(attention))
    }

    pub fn add_to(&self, x: &Tensor, size: (usize, usize)) -> Result<()> {
        ops::window_attention(x, size, &self.0)
    }
}

/// `x += proj(attention(qkv(norm(x))))` within groups of channels.
#[derive(Debug)]
pub struct ChannelAttention(ops::ChannelAttention);

impl ChannelAttention {
    pub fn new(norm: LayerNorm, qkv: Linear, proj: Linear, groups: usize) -> Result<Self> {
        let attention = ops::ChannelAttention::new(norm.0, qkv.0, proj.0, groups)?;
        Ok(Self(attention))
    }

    pub fn add_to(&self, x: &Tensor) -> Result<()> {
        ops::channel_attention(x, &self.0)
    }
}

/// A convolution over windows in (row, column, channel) order.
#[derive(Debug)]
pub struct PatchEmbed(ops::PatchEmbed);

impl PatchEmbed {
    pub fn new(conv: Linear, kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        let patches = Patches {
            kernel,
            stride,
            padding,
        };
        Ok(Self(ops::PatchEmbed::new(patches, conv.0, None)?))
    }

    pub fn forward(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        ops::patch_embed(x, size, &self.0)
    }
}

/// `qkv: (batch, len, 3·dim)` to `(batch, len, dim)`, all tokens seeing all.
pub fn self_attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, len, columns) = qkv.dims3()?;
    let (dim, lengths) = (columns / 3, vec![len; batch]);
    let qkv = values(qkv)?;
    let out = ops::self_attention(Isa::best(), &qkv, heads, dim, &lengths);
    Tensor::from_vec(out, (batch, len, dim), &Device::Cpu)
}

/// Attention of some rows to one source.
#[derive(Debug)]
pub struct CrossAttention([Source; 1]);

impl CrossAttention {
    /// `keys_values: (source, 2·dim)`
    pub fn new(keys_values: &Tensor, heads: usize) -> Result<Self> {
        let (source, columns) = keys_values.dims2()?;
        let keys_values = values(keys_values)?;
        let rows = Rows::dense(&keys_values, source, columns);
        Ok(Self([Source::pack(rows, heads, source)]))
    }

    /// `queries: (rows, dim)` to `(rows, dim)`.
    pub fn forward(&self, queries: &Tensor) -> Result<Tensor> {
        let (rows, dim) = queries.dims2()?;
        let mut out = vec![0.0; rows * dim];
        ops::cross_attention(Isa::best(), &values(queries)?, dim, &self.0, &mut out);
        Tensor::from_vec(out, (rows, dim), &Device::Cpu)
    }
}

/// What a decoder remembers of its own tokens.
#[derive(Debug)]
pub struct Past(ops::Past, usize);

impl Past {
    pub fn new(rows: usize, heads: usize, dim: usize) -> Self {
        Self(ops::Past::new(rows, heads, dim), rows)
    }

    /// One more token a row, `qkv: (rows, 3·dim)` to `(rows, dim)`.
    pub fn step(&mut self, qkv: &Tensor) -> Result<Tensor> {
        let (rows, columns) = qkv.dims2()?;
        let mut out = vec![0.0; rows * columns / 3];
        self.0.attend(Isa::best(), &values(qkv)?, self.1, &mut out);
        Tensor::from_vec(out, (rows, columns / 3), &Device::Cpu)
    }
}
