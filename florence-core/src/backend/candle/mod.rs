//! The network's operations as candle tensor operations: on any device, in any float type, and
//! differentiable. Also the reference implementation that the kernels of [`cpu`](super::cpu) are
//! tested against.

mod attention;
mod depthwise;
pub(crate) mod devices;
#[cfg(test)]
mod gradients;
mod layers;
mod patches;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{D, DType, Device, Result, Tensor, Var, bail};

use super::{Attention, Backend, CrossAttention, Dims, Mlp, NormAt, PatchEmbed, VisualPositions};
use crate::checkpoint::Parameter;
use crate::generate::Logits;
use attention::{attend, causal_mask, heads, merge, padding_mask, softmax};
use layers::Stored;

pub(crate) use attention::{EncoderKv, KvCache};
pub(crate) use depthwise::Depthwise;
pub(crate) use layers::{LayerNorm, Linear};

/// A candle device, and the type of weights and activations on it.
#[derive(Debug, Clone)]
pub(crate) struct Candle {
    device: Device,
    dtype: DType,
    /// The variables of the gradients, by native name; with these nothing is fused.
    variables: Option<Variables>,
}

/// The learned parameters of a network, by native name. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(Arc<Mutex<BTreeMap<String, Var>>>);

impl Variables {
    /// All of them, in the order of their names.
    #[cfg_attr(not(test), expect(dead_code, reason = "as `Candle::trainable`"))]
    pub(crate) fn all(&self) -> Vec<(String, Var)> {
        let variables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = variables.iter();
        all.map(|(name, var)| (name.clone(), var.clone())).collect()
    }

    /// The variable of this name, initialized with `values` at its first use, so that tied layers
    /// share it.
    fn get(&self, name: &str, values: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        let mut variables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(variable) = variables.get(name) {
            return Ok(variable.as_tensor().clone());
        }
        let variable = Var::from_tensor(&values()?)?;
        let tensor = variable.as_tensor().clone();
        variables.insert(name.to_owned(), variable);
        Ok(tensor)
    }
}

impl Candle {
    pub(crate) fn new(device: Device, dtype: DType) -> Self {
        Self {
            device,
            dtype,
            variables: None,
        }
    }

    /// The same operations with these learned parameters; missing ones are added, and gradients
    /// reach every one.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what training will be built on")
    )]
    pub(crate) fn trainable(device: Device, dtype: DType, variables: &Variables) -> Self {
        Self {
            device,
            dtype,
            variables: Some(variables.clone()),
        }
    }

    fn differentiable(&self) -> bool {
        self.variables.is_some()
    }

    fn tensor(&self, parameter: &Parameter) -> crate::Result<Tensor> {
        let stored = parameter.values()?;
        let values = || {
            let values = Tensor::from_vec(stored, parameter.shape(), &Device::Cpu)?;
            values.to_dtype(self.dtype)?.to_device(&self.device)
        };
        Ok(match &self.variables {
            Some(variables) if parameter.is_learned() => variables.get(parameter.name(), values)?,
            _ => values()?,
        })
    }

    fn tensors(&self, parameters: &[Parameter]) -> crate::Result<Vec<Tensor>> {
        parameters
            .iter()
            .map(|parameter| self.tensor(parameter))
            .collect()
    }

    /// `norm(x + proj(y))`
    fn add_norm(&self, x: &Tensor, y: &Tensor, proj: &Linear, norm: &LayerNorm) -> Result<Tensor> {
        norm.forward(&(x + proj.forward(y)?)?)
    }
}

impl Backend for Candle {
    type Tensor = Tensor;
    type Linear = Linear;
    type LayerNorm = LayerNorm;
    type Depthwise = Depthwise;
    type KvCache = KvCache;
    type EncoderKv = EncoderKv;

    fn linear(&self, weights: &[Parameter], biases: &[Parameter]) -> crate::Result<Linear> {
        let stored = Stored {
            weights: self.tensors(weights)?,
            biases: self.tensors(biases)?,
        };
        Ok(Linear::new(stored, self.differentiable())?)
    }

    fn conv(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Linear> {
        self.linear(std::slice::from_ref(weight), std::slice::from_ref(bias))
    }

    fn layer_norm(
        &self,
        weight: &Parameter,
        bias: &Parameter,
        eps: f32,
    ) -> crate::Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.tensor(weight)?,
            bias: self.tensor(bias)?,
            eps,
            fused: !self.differentiable() && !self.device.is_cpu(),
        })
    }

    fn depthwise(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Depthwise> {
        let (weight, bias) = (self.tensor(weight)?, self.tensor(bias)?);
        Ok(Depthwise::new(weight, bias, self.differentiable())?)
    }

    fn table(&self, values: &Parameter) -> crate::Result<Tensor> {
        Ok(self.tensor(values)?.unsqueeze(0)?)
    }

    fn channels_last(&self, pixels: &Tensor) -> Result<Tensor> {
        self.input(pixels)?.permute((0, 2, 3, 1))?.flatten(1, 2)
    }

    fn input(&self, x: &Tensor) -> Result<Tensor> {
        devices::moved(x, &self.device)?.to_dtype(self.dtype)
    }

    fn output(&self, x: Tensor) -> Result<Tensor> {
        // Outputs are complete, whichever stream reads them.
        self.device.synchronize()?;
        Ok(x)
    }

    fn copy(&self, x: &Tensor) -> Result<Tensor> {
        x.to_device(&Device::Cpu)?.to_dtype(DType::F32)
    }

    /// candle uploads the shape of a non-contiguous tensor to a GPU at every launch; here uploaded
    /// shapes are cached. In the decoder the cache would grow with every step.
    fn run_tower<T>(&self, run: impl FnOnce() -> T) -> T {
        #[cfg(feature = "cuda")]
        let _kept = match &self.device {
            Device::Cuda(device) => Some(device.enable_cuda_graph_htod_cache()),
            _ => None,
        };
        run()
    }

    fn patch_embed(
        &self,
        x: Tensor,
        (height, width): (usize, usize),
        layer: &PatchEmbed<Self>,
    ) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let x = match layer.norm_at {
            NormAt::Input => layer.norm.forward(&x)?,
            NormAt::Output => x,
        };
        let map = x.reshape((batch, height, width, layer.channels()))?;
        let y = layer
            .conv
            .forward(&patches::windows(&map, layer.patches)?)?;
        match layer.norm_at {
            NormAt::Input => Ok(y),
            NormAt::Output => layer.norm.forward(&y),
        }
    }

    fn depthwise_residual(
        &self,
        x: Tensor,
        size: (usize, usize),
        conv: &Depthwise,
    ) -> Result<Tensor> {
        conv.forward(&x, size)
    }

    /// The reference's steps: normalize, pad, partition, attend, reverse, crop.
    fn window_attention(
        &self,
        x: Tensor,
        (height, width): (usize, usize),
        layer: &Attention<Self>,
        window: usize,
    ) -> Result<Tensor> {
        let (batch, tokens, dim) = x.dims3()?;
        let (down, across) = (height.div_ceil(window), width.div_ceil(window));
        let (bottom, right) = (down * window - height, across * window - width);
        let windows = layer
            .norm
            .forward(&x)?
            .reshape((batch, height, width, dim))?
            .pad_with_zeros(1, 0, bottom)?
            .pad_with_zeros(2, 0, right)?
            .reshape(&[batch, down, window, across, window, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch * down * across, window * window, dim))?;
        let [q, k, v] = heads(&layer.qkv.forward(&windows)?, layer.heads)?;
        let attended = merge(&attend([&q, &k, &v], None, self.differentiable())?)?;
        let y = layer
            .proj
            .forward(&attended)?
            .reshape(&[batch, down, across, window, window, dim])?
            .permute([0, 1, 3, 2, 4, 5])?
            .reshape((batch, down * window, across * window, dim))?
            .narrow(1, 0, height)?
            .narrow(2, 0, width)?
            .reshape((batch, tokens, dim))?;
        x + y
    }

    fn channel_attention(&self, x: Tensor, layer: &Attention<Self>) -> Result<Tensor> {
        let tokens = x.dim(1)?;
        let qkv = layer.qkv.forward(&layer.norm.forward(&x)?)?;
        let [q, k, v] = heads(&qkv, layer.heads)?;
        // Between channels: (batch, groups, width, tokens) · (…, tokens, width).
        let scores = (q * (tokens as f64).powf(-0.5))?.t()?.matmul(&k)?;
        let weights = softmax(&scores, self.differentiable())?;
        let attended = v.matmul(&weights.t()?)?;
        x + layer.proj.forward(&merge(&attended)?)?
    }

    fn add_visual_positions(
        &self,
        x: Tensor,
        (height, width): (usize, usize),
        positions: &VisualPositions<Self>,
    ) -> Result<Tensor> {
        let columns = positions.columns.narrow(1, 0, width)?;
        let rows = positions.rows.narrow(1, 0, height)?.transpose(0, 1)?;
        let columns = columns.repeat((height, 1, 1))?;
        let rows = rows.repeat((1, width, 1))?;
        let grid = Tensor::cat(&[columns, rows], D::Minus1)?.flatten(0, 1)?;
        let frame = positions.frames.narrow(1, 0, 1)?;
        x.broadcast_add(&grid)?.broadcast_add(&frame)
    }

    fn mean(&self, x: &Tensor) -> Result<Tensor> {
        // candle accumulates in the type of its input, which has 8 or 11 significant bits.
        match x.dtype() {
            dtype @ (DType::F16 | DType::BF16) => {
                x.to_dtype(DType::F32)?.mean_keepdim(1)?.to_dtype(dtype)
            }
            _ => x.mean_keepdim(1),
        }
    }

    fn mlp(&self, x: Tensor, layer: &Mlp<Self>) -> Result<Tensor> {
        let feed = |x: &Tensor| layer.fc2.forward(&layer.fc1.forward(x)?.gelu_erf()?);
        match layer.norm_at {
            NormAt::Input => {
                let y = feed(&layer.norm.forward(&x)?)?;
                x + y
            }
            NormAt::Output => layer.norm.forward(&(&x + feed(&x)?)?),
        }
    }

    fn project(&self, x: &Tensor, layer: &Linear) -> Result<Tensor> {
        layer.forward(x)
    }

    fn normalize(&self, x: Tensor, norm: &LayerNorm) -> Result<Tensor> {
        norm.forward(&x)
    }

    fn concat(&self, parts: &[&Tensor]) -> Result<Tensor> {
        Tensor::cat(parts, 1)
    }

    fn embed(&self, table: &Linear, ids: &[u32], tokens: usize, scale: f32) -> Result<Tensor> {
        let rows = table
            .weight()?
            .index_select(&Tensor::new(ids, &self.device)?, 0)?;
        let rows = match scale {
            1.0 => rows,
            _ => (rows * f64::from(scale))?,
        };
        rows.reshape(((), tokens, table.inputs()))
    }

    fn add_positions(&self, x: Tensor, table: &Tensor, start: usize) -> Result<Tensor> {
        x.broadcast_add(&table.narrow(1, start, x.dim(1)?)?)
    }

    fn self_attention(
        &self,
        x: Tensor,
        layer: &Attention<Self>,
        lengths: &[usize],
    ) -> Result<Tensor> {
        let mask = padding_mask(lengths, x.dim(1)?, self.dtype, &self.device)?;
        let [q, k, v] = heads(&layer.qkv.forward(&x)?, layer.heads)?;
        let attended = attend([&q, &k, &v], mask.as_ref(), self.differentiable())?;
        self.add_norm(&x, &merge(&attended)?, &layer.proj, &layer.norm)
    }

    fn kv_cache(&self, layers: usize, _rows: usize, _heads: usize, _dim: usize) -> KvCache {
        KvCache::new(layers, !self.differentiable())
    }

    fn cached_attention(
        &self,
        x: Tensor,
        layer: &Attention<Self>,
        cache: &mut KvCache,
        index: usize,
    ) -> Result<Tensor> {
        let [q, k, v] = heads(&layer.qkv.forward(&x)?, layer.heads)?;
        let tokens = x.dim(1)?;
        let [k, v] = cache.append(index, [k, v])?;
        let past = k.dim(2)? - tokens;
        let mask = causal_mask(tokens, past, self.dtype, &self.device)?;
        let attended = attend([&q, &k, &v], mask.as_ref(), self.differentiable())?;
        self.add_norm(&x, &merge(&attended)?, &layer.proj, &layer.norm)
    }

    fn encoder_kv<'a>(
        &self,
        encoded: &Tensor,
        layers: impl Iterator<Item = &'a CrossAttention<Self>>,
        lengths: &[usize],
    ) -> Result<EncoderKv> {
        let layers = layers.map(|layer| heads(&layer.keys_values.forward(encoded)?, layer.heads));
        Ok(EncoderKv {
            layers: layers.collect::<Result<_>>()?,
            mask: padding_mask(lengths, encoded.dim(1)?, self.dtype, &self.device)?,
        })
    }

    fn cross_attention(
        &self,
        x: Tensor,
        layer: &CrossAttention<Self>,
        kv: &EncoderKv,
        index: usize,
    ) -> Result<Tensor> {
        let [keys, values] = &kv.layers[index];
        // The beams of an image are the rows of one product.
        let query = layer.query.forward(&x)?;
        let query = query.reshape((keys.dim(0)?, (), x.dim(2)?))?;
        let [q] = heads(&query, layer.heads)?;
        let qkv = [&q, keys, values];
        let attended = attend(qkv, kv.mask.as_ref(), self.differentiable())?;
        let attended = merge(&attended)?.reshape(x.shape())?;
        self.add_norm(&x, &attended, &layer.proj, &layer.norm)
    }

    fn slice(&self, x: &Tensor, sequence: usize, tokens: Range<usize>) -> Result<Tensor> {
        x.narrow(0, sequence, 1)?
            .narrow(1, tokens.start, tokens.len())
    }

    /// One transfer: the logits of all rows, then their logsumexp.
    fn logits(&self, head: &Linear, x: &Tensor, logits: &mut Logits) -> Result<()> {
        let scores = head.forward(x)?.reshape(((), head.outputs()))?;
        let sums = layers::log_sum_exp(&scores)?;
        let scores = scores.to_dtype(DType::F32)?.flatten_all()?;
        let all = Tensor::cat(&[&scores, &sums], 0)?.to_vec1::<f32>()?;
        let Some(rows) = all.len().checked_sub(sums.elem_count()) else {
            bail!("logits: {} values", all.len());
        };
        logits.values = all;
        logits.log_sums = logits.values.split_off(rows);
        Ok(())
    }
}
