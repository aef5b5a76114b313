//! The [`Backend`] of the CPU kernels.

use std::ops::Range;

use candle_core::{Device, Result, Tensor, bail};

use super::gemm::Weight;
use super::scratch::lend;
use super::simd::{Activation, Isa};
use super::{
    Activations, Depthwise, EncoderKv, ImageKv, KvCache, LayerNorm, Linear, channel_attention,
    cross_attention, layer_norm, logits, patch_embed, self_attention, window_attention,
};
use crate::backend::{
    Attention, Backend, CrossAttention, Dims, Mlp, NormAt, PatchEmbed, VisualPositions,
};
use crate::checkpoint::Parameter;
use crate::generate::Logits;
use crate::precision::Precision;

/// The kernels of one instruction set, and the precision of weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    isa: Isa,
    precision: Precision,
}

impl Cpu {
    /// The best instruction set of this machine; `precision` is `F32` or
    /// `Q8_0`.
    pub(crate) fn new(precision: Precision) -> Self {
        Self::with(Isa::best(), precision)
    }

    pub(crate) fn with(isa: Isa, precision: Precision) -> Self {
        Self { isa, precision }
    }
}

impl Backend for Cpu {
    type Tensor = Activations;
    type Linear = Linear;
    type LayerNorm = LayerNorm;
    type Depthwise = Depthwise;
    type KvCache = KvCache;
    type EncoderKv = EncoderKv;

    /// Read and converted once, on all threads, a few rows at a time: the stored form is never in
    /// memory as a whole.
    fn linear(&self, weights: &[Parameter], biases: &[Parameter]) -> crate::Result<Linear> {
        let (outputs, inputs) = matrix(weights)?;
        let read = |rows: Range<usize>, values: &mut [f32]| {
            let mut row = rows.start;
            let mut rest = values;
            while row < rows.end {
                let (matrix, first) = (&weights[row / outputs], row % outputs);
                let count = (rows.end - row).min(outputs - first);
                let (part, others) = rest.split_at_mut(count * inputs);
                matrix.read_rows(first, part)?;
                row += count;
                rest = others;
            }
            Ok::<_, crate::Error>(())
        };
        let outputs = weights.len() * outputs;
        let weight = match self.precision {
            Precision::Q8_0 => Weight::quantized(outputs, inputs, read)?,
            _ => Weight::exactly(outputs, inputs, read)?,
        };
        let mut bias = Vec::new();
        for part in biases {
            bias.extend(part.values()?);
        }
        Ok(Linear::new(weight, (!biases.is_empty()).then_some(bias))?)
    }

    /// Convolutions stay f32 in every precision: the first one sees raw pixels,
    /// and all four are 5 % of the tower's work.
    fn conv(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Linear> {
        let &[output, input, height, width] = weight.shape() else {
            return Err(weight.unexpected("(out, in, kernel, kernel)"));
        };
        let area = height * width;
        let stored = weight.values()?;
        // (out, in, kernel²) to (out, kernel², in).
        let weight = Weight::exactly(output, area * input, |rows, values: &mut [f32]| {
            let stored = &stored[rows.start * input * area..];
            for (at, value) in values.iter_mut().enumerate() {
                let (row, place, channel) = (at / (area * input), at / input % area, at % input);
                *value = stored[(row * input + channel) * area + place];
            }
            Ok::<_, crate::Error>(())
        })?;
        Ok(Linear::new(weight, Some(bias.values()?))?)
    }

    fn layer_norm(
        &self,
        weight: &Parameter,
        bias: &Parameter,
        eps: f32,
    ) -> crate::Result<LayerNorm> {
        Ok(LayerNorm::new(weight.values()?, bias.values()?, eps)?)
    }

    /// The checkpoint stores the taps of a channel side by side; the kernel needs the channels of a
    /// tap side by side.
    fn depthwise(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Depthwise> {
        let stored = weight.values()?;
        let taps = (0..9).flat_map(|tap| stored.iter().skip(tap).step_by(9).copied());
        Ok(Depthwise::new(taps.collect(), bias.values()?)?)
    }

    fn table(&self, table: &Parameter) -> crate::Result<Activations> {
        let &[rows, dim] = table.shape() else {
            return Err(table.unexpected("(rows, dim)"));
        };
        Ok(Activations::new(table.values()?, (1, rows, dim))?)
    }

    fn channels_last(&self, pixels: &Tensor) -> Result<Activations> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let planes = pixels.to_device(&Device::Cpu)?.flatten_all()?;
        let planes = planes.to_vec1::<f32>()?;
        let tokens = height * width;
        let mut values = vec![0.0; planes.len()];
        for (image, planes) in values
            .chunks_exact_mut(tokens * channels)
            .zip(planes.chunks_exact(tokens * channels))
        {
            for (channel, plane) in planes.chunks_exact(tokens).enumerate() {
                for (pixel, value) in image.chunks_exact_mut(channels).zip(plane) {
                    pixel[channel] = *value;
                }
            }
        }
        Activations::new(values, (batch, tokens, channels))
    }

    fn input(&self, x: &Tensor) -> Result<Activations> {
        Activations::from_tensor(x)
    }

    fn output(&self, x: Activations) -> Result<Tensor> {
        x.into_tensor()
    }

    fn copy(&self, x: &Activations) -> Result<Tensor> {
        x.clone().into_tensor()
    }

    fn patch_embed(
        &self,
        x: Activations,
        size: (usize, usize),
        layer: &PatchEmbed<Self>,
    ) -> Result<Activations> {
        x.expect("patch embedding", layer.channels(), Some(size))?;
        let tokens = layer.patches.count(size.0) * layer.patches.count(size.1);
        if tokens == 0 {
            bail!("patch embedding: no {:?} fits into {size:?}", layer.patches);
        }
        let (x, norm) = match layer.norm_at {
            NormAt::Input => (self.normalize(x, &layer.norm)?, None),
            NormAt::Output => (x, Some(&layer.norm)),
        };
        let conv = (layer.patches, &layer.conv);
        let out = patch_embed(self.isa, conv, norm, &x.values, size);
        x.with(out, tokens, layer.conv.outputs())
    }

    fn depthwise_residual(
        &self,
        x: Activations,
        size: (usize, usize),
        conv: &Depthwise,
    ) -> Result<Activations> {
        x.expect("depthwise convolution", conv.channels(), Some(size))?;
        let out = conv.forward(self.isa, &x.values, size);
        x.with(out, x.tokens, x.dim)
    }

    fn window_attention(
        &self,
        mut x: Activations,
        size: (usize, usize),
        layer: &Attention<Self>,
        window: usize,
    ) -> Result<Activations> {
        x.expect("window attention", layer.norm.dim(), Some(size))?;
        if window == 0 {
            bail!("window attention: a window of 0×0 tokens");
        }
        window_attention(self.isa, layer, window, &mut x.values, size);
        Ok(x)
    }

    fn channel_attention(
        &self,
        mut x: Activations,
        layer: &Attention<Self>,
    ) -> Result<Activations> {
        x.expect("channel attention", layer.norm.dim(), None)?;
        for map in x.values.chunks_exact_mut(x.tokens * x.dim) {
            channel_attention(self.isa, layer, map);
        }
        Ok(x)
    }

    fn add_visual_positions(
        &self,
        mut x: Activations,
        (height, width): (usize, usize),
        positions: &VisualPositions<Self>,
    ) -> Result<Activations> {
        let VisualPositions {
            columns,
            rows,
            frames,
        } = positions;
        x.expect("positions", columns.dim + rows.dim, Some((height, width)))?;
        if width > columns.tokens || height > rows.tokens || frames.dim != x.dim {
            bail!("positions: no table for a map of {height}×{width}");
        }
        for (place, token) in x.values.chunks_exact_mut(x.dim).enumerate() {
            let (row, column) = (place / width % height, place % width);
            let positions = columns
                .view()
                .row(column)
                .iter()
                .chain(rows.view().row(row));
            for ((x, position), frame) in token.iter_mut().zip(positions).zip(&frames.values) {
                *x = *x + position + frame;
            }
        }
        Ok(x)
    }

    fn mean(&self, x: &Activations) -> Result<Activations> {
        let mut means = vec![0.0; x.batch * x.dim];
        let maps = x.values.chunks_exact(x.tokens * x.dim);
        for (mean, map) in means.chunks_exact_mut(x.dim).zip(maps) {
            for token in map.chunks_exact(x.dim) {
                for (mean, value) in mean.iter_mut().zip(token) {
                    *mean += value;
                }
            }
            let share = (1.0 / x.tokens as f64) as f32;
            mean.iter_mut().for_each(|mean| *mean *= share);
        }
        x.with(means, 1, x.dim)
    }

    fn mlp(&self, mut x: Activations, layer: &Mlp<Self>) -> Result<Activations> {
        x.expect("mlp", layer.norm.dim(), None)?;
        layer.forward_in_place(self.isa, &mut x.values);
        Ok(x)
    }

    fn project(&self, x: &Activations, layer: &Linear) -> Result<Activations> {
        x.expect("linear layer", layer.inputs(), None)?;
        let mut out = vec![0.0; x.rows() * layer.outputs()];
        layer.forward_into(self.isa, x.view(), Activation::None, &mut out);
        x.with(out, x.tokens, layer.outputs())
    }

    fn normalize(&self, mut x: Activations, norm: &LayerNorm) -> Result<Activations> {
        x.expect("layer norm", norm.dim(), None)?;
        layer_norm::rows_in_place(self.isa, norm, &mut x.values);
        Ok(x)
    }

    fn concat(&self, parts: &[&Activations]) -> Result<Activations> {
        let Some(first) = parts.first() else {
            bail!("no activations to put together");
        };
        if parts
            .iter()
            .any(|x| (x.batch, x.dim) != (first.batch, first.dim))
        {
            bail!("activations of different batches or widths");
        }
        let tokens = parts.iter().map(|x| x.tokens).sum();
        let mut values = Vec::with_capacity(first.batch * tokens * first.dim);
        for sequence in 0..first.batch {
            for x in parts {
                let len = x.tokens * x.dim;
                values.extend_from_slice(&x.values[sequence * len..][..len]);
            }
        }
        first.with(values, tokens, first.dim)
    }

    fn embed(&self, table: &Linear, ids: &[u32], tokens: usize, scale: f32) -> Result<Activations> {
        let dim = table.inputs();
        if let Some(id) = ids.iter().find(|&&id| id as usize >= table.outputs()) {
            bail!("token id {id} of {}", table.outputs());
        }
        let mut values = vec![0.0; ids.len() * dim];
        for (row, &id) in values.chunks_exact_mut(dim).zip(ids) {
            table.weight().output(id as usize, row);
            row.iter_mut().for_each(|v| *v *= scale);
        }
        Activations::new(values, (ids.len() / tokens.max(1), tokens, dim))
    }

    fn add_positions(
        &self,
        mut x: Activations,
        table: &Activations,
        start: usize,
    ) -> Result<Activations> {
        x.expect("positions", table.dim, None)?;
        if start + x.tokens > table.tokens {
            bail!("positions: {start} and {} of {}", x.tokens, table.tokens);
        }
        let len = x.tokens * x.dim;
        let positions = &table.values[start * x.dim..][..len];
        for x in x.values.chunks_exact_mut(len) {
            for (x, position) in x.iter_mut().zip(positions) {
                *x += position;
            }
        }
        Ok(x)
    }

    fn self_attention(
        &self,
        mut x: Activations,
        layer: &Attention<Self>,
        lengths: &[usize],
    ) -> Result<Activations> {
        x.expect("self-attention", layer.norm.dim(), None)?;
        if lengths.len() != x.batch || lengths.iter().any(|&len| len == 0 || len > x.tokens) {
            bail!("self-attention: lengths {lengths:?} of {} tokens", x.tokens);
        }
        lend(3 * x.values.len(), |qkv| {
            layer
                .qkv
                .forward_into(self.isa, x.view(), Activation::None, qkv);
            lend(x.values.len(), |attended| {
                self_attention(self.isa, qkv, layer.heads, x.dim, lengths, attended);
                self.add_norm(&mut x, attended, &layer.proj, &layer.norm);
            });
        });
        Ok(x)
    }

    fn kv_cache(&self, layers: usize, rows: usize, heads: usize, dim: usize) -> KvCache {
        KvCache::new(layers, rows, heads, dim)
    }

    fn cached_attention(
        &self,
        mut x: Activations,
        layer: &Attention<Self>,
        cache: &mut KvCache,
        index: usize,
    ) -> Result<Activations> {
        x.expect("self-attention", layer.norm.dim(), None)?;
        lend(3 * x.values.len(), |qkv| {
            layer
                .qkv
                .forward_into(self.isa, x.view(), Activation::None, qkv);
            lend(x.values.len(), |attended| {
                cache.layers[index].attend(self.isa, qkv, x.batch, attended);
                self.add_norm(&mut x, attended, &layer.proj, &layer.norm);
            });
        });
        Ok(x)
    }

    fn encoder_kv<'a>(
        &self,
        encoded: &Activations,
        layers: impl Iterator<Item = &'a CrossAttention<Self>>,
        lengths: &[usize],
    ) -> Result<EncoderKv> {
        let (tokens, columns) = (encoded.tokens, 2 * encoded.dim);
        let layers = layers.map(|layer| {
            encoded.expect("cross-attention", layer.keys_values.inputs(), None)?;
            Ok(lend(2 * encoded.values.len(), |projected| {
                let x = encoded.view();
                layer
                    .keys_values
                    .forward_into(self.isa, x, Activation::None, projected);
                let images = projected.chunks_exact(tokens * columns).zip(lengths);
                images
                    .map(|(image, &len)| {
                        let keys_values = super::Rows::dense(image, tokens, columns);
                        ImageKv::pack(self.isa, keys_values, layer.heads, len)
                    })
                    .collect()
            }))
        });
        Ok(EncoderKv {
            layers: layers.collect::<Result<_>>()?,
        })
    }

    fn cross_attention(
        &self,
        mut x: Activations,
        layer: &CrossAttention<Self>,
        kv: &EncoderKv,
        index: usize,
    ) -> Result<Activations> {
        x.expect("cross-attention", layer.norm.dim(), None)?;
        lend(x.values.len(), |query| {
            layer
                .query
                .forward_into(self.isa, x.view(), Activation::None, query);
            lend(x.values.len(), |attended| {
                cross_attention(self.isa, query, x.dim, &kv.layers[index], attended);
                self.add_norm(&mut x, attended, &layer.proj, &layer.norm);
            });
        });
        Ok(x)
    }

    fn slice(&self, x: &Activations, sequence: usize, tokens: Range<usize>) -> Result<Activations> {
        if sequence >= x.batch || tokens.start > tokens.end || tokens.end > x.tokens {
            bail!(
                "tokens {tokens:?} of sequence {sequence} of {:?}",
                (x.batch, x.tokens)
            );
        }
        let first = (sequence * x.tokens + tokens.start) * x.dim;
        let values = x.values[first..][..tokens.len() * x.dim].to_vec();
        Activations::new(values, (1, tokens.len(), x.dim))
    }

    fn logits(&self, head: &Linear, x: &Activations, logits: &mut Logits) -> Result<()> {
        x.expect("head", head.inputs(), None)?;
        let Logits { values, log_sums } = logits;
        values.resize(x.rows() * head.outputs(), 0.0);
        logits::logits(self.isa, head, x.view(), values, log_sums);
        Ok(())
    }
}

impl Cpu {
    /// `x = norm(x + proj(y))`
    fn add_norm(&self, x: &mut Activations, y: &[f32], proj: &Linear, norm: &LayerNorm) {
        let y = super::Rows::dense(y, x.rows(), x.dim);
        proj.add_into(self.isa, y, &mut x.values, Some(norm));
    }
}

/// The shape `(outputs, inputs)` that all the weights share.
fn matrix(weights: &[Parameter]) -> crate::Result<(usize, usize)> {
    let Some(first) = weights.first() else {
        return Err(candle_core::Error::msg("a linear layer without a weight").into());
    };
    let &[outputs, inputs] = first.shape() else {
        return Err(first.unexpected("(outputs, inputs)"));
    };
    match weights
        .iter()
        .find(|weight| weight.shape() != first.shape())
    {
        Some(weight) => Err(weight.unexpected(&format!("({outputs}, {inputs})"))),
        None => Ok((outputs, inputs)),
    }
}
