//! Attention as tensor products, and the KV caches.

use candle_core::{D, DType, Device, Result, Tensor, bail};
use candle_nn::ops;

use crate::backend;

/// `softmax(q·kᵀ / √width + mask)·v` for `(…, tokens, width)`.
pub(super) fn attend(
    [q, k, v]: [&Tensor; 3],
    mask: Option<&Tensor>,
    differentiable: bool,
) -> Result<Tensor> {
    let scale = (q.dim(D::Minus1)? as f64).powf(-0.5);
    let scores = (q * scale)?.matmul(&k.t()?)?;
    let scores = match mask {
        Some(mask) => scores.broadcast_add(mask)?,
        None => scores,
    };
    softmax(&scores, differentiable)?.matmul(v)
}

/// Over the last dimension; candle's fused softmax has no gradient. On the CPU candle accumulates
/// in the input's type: in bf16, 589 equal weights would sum up to 256.
pub(super) fn softmax(x: &Tensor, differentiable: bool) -> Result<Tensor> {
    let dtype = x.dtype();
    match differentiable {
        true => ops::softmax(x, D::Minus1),
        false if x.device().is_cpu() && matches!(dtype, DType::F16 | DType::BF16) => {
            ops::softmax_last_dim(&x.to_dtype(DType::F32)?.contiguous()?)?.to_dtype(dtype)
        }
        false => ops::softmax_last_dim(&x.contiguous()?),
    }
}

/// Splits `(batch, tokens, parts·dim)` into `parts` times `(batch, heads, tokens, width)`, in one
/// copy.
pub(super) fn heads<const PARTS: usize>(x: &Tensor, heads: usize) -> Result<[Tensor; PARTS]> {
    let (batch, tokens, columns) = x.dims3()?;
    let x = x
        .reshape((batch, tokens, PARTS, heads, columns / PARTS / heads))?
        .permute((2, 0, 3, 1, 4))?
        .contiguous()?;
    let parts = (0..PARTS).map(|part| x.get(part));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    Ok(parts.try_into().expect("as many as were made"))
}

/// `(batch, heads, tokens, width)` to `(batch, tokens, dim)`.
pub(super) fn merge(x: &Tensor) -> Result<Tensor> {
    x.transpose(1, 2)?.flatten_from(2)
}

/// The mask `(batch, 1, 1, tokens)` of all but the first `lengths[i]` of `tokens` tokens of
/// sequence `i`; `None` without padding.
pub(super) fn padding_mask(
    lengths: &[usize],
    tokens: usize,
    dtype: DType,
    device: &Device,
) -> Result<Option<Tensor>> {
    if lengths.iter().all(|&len| len == tokens) {
        return Ok(None);
    }
    let hidden = lengths
        .iter()
        .flat_map(|&len| (0..tokens).map(move |token| hide(token >= len)));
    let mask = Tensor::from_iter(hidden, device)?.reshape((lengths.len(), 1, 1, tokens))?;
    Ok(Some(mask.to_dtype(dtype)?))
}

/// The mask `(tokens, past + tokens)` that hides later tokens from each of `tokens` new tokens;
/// `None` for one token.
pub(super) fn causal_mask(
    tokens: usize,
    past: usize,
    dtype: DType,
    device: &Device,
) -> Result<Option<Tensor>> {
    if tokens == 1 {
        return Ok(None);
    }
    let all = past + tokens;
    let hidden =
        (0..tokens).flat_map(|token| (0..all).map(move |other| hide(other > past + token)));
    let mask = Tensor::from_iter(hidden, device)?.reshape((tokens, all))?;
    Ok(Some(mask.to_dtype(dtype)?))
}

fn hide(hidden: bool) -> f32 {
    if hidden { f32::NEG_INFINITY } else { 0.0 }
}

/// KV cache of a decoder's own tokens, in tensors with spare capacity: new keys and values are
/// written in place.
#[derive(Debug)]
pub(crate) struct KvCache {
    /// `(rows, heads, capacity, width)`; `None` before the first tokens.
    layers: Vec<Option<[Tensor; 2]>>,
    steps: usize,
    /// Whether tokens can be appended after the first call. Writing in place has no gradient;
    /// teacher forcing needs neither.
    grows: bool,
}

impl KvCache {
    /// Positions allocated at once.
    const PAGE: usize = 128;

    pub(super) fn new(layers: usize, grows: bool) -> Self {
        Self {
            layers: vec![None; layers],
            steps: 0,
            grows,
        }
    }

    /// Appends `[keys, values]: (rows, heads, tokens, width)` to a layer and returns all that it
    /// has then.
    pub(super) fn append(&mut self, layer: usize, new: [Tensor; 2]) -> Result<[Tensor; 2]> {
        if !self.grows {
            if self.steps > 0 {
                bail!("tokens that follow others have no gradient: all have to come at once");
            }
            return Ok(new);
        }
        let (rows, heads, tokens, width) = new[0].dims4()?;
        let end = self.steps + tokens;
        let stored = match self.layers[layer].take() {
            Some(stored) if stored[0].dim(2)? >= end => stored,
            old => {
                let capacity = end.next_multiple_of(Self::PAGE);
                let (dtype, device) = (new[0].dtype(), new[0].device());
                let room = || Tensor::zeros((rows, heads, capacity, width), dtype, device);
                let larger = [room()?, room()?];
                if let Some(old) = old {
                    for (to, from) in larger.iter().zip(&old) {
                        to.slice_set(&from.narrow(2, 0, self.steps)?.contiguous()?, 2, 0)?;
                    }
                }
                larger
            }
        };
        for (to, from) in stored.iter().zip(&new) {
            to.slice_set(from, 2, self.steps)?;
        }
        let all = [stored[0].narrow(2, 0, end)?, stored[1].narrow(2, 0, end)?];
        self.layers[layer] = Some(stored);
        Ok(all)
    }
}

impl backend::KvCache for KvCache {
    fn steps(&self) -> usize {
        self.steps
    }

    fn advance(&mut self, tokens: usize) {
        self.steps += tokens;
    }

    /// On the device: one gather for all keys, one for all values of a layer.
    fn reorder(&mut self, parents: &[u32]) -> Result<()> {
        let Some(first) = self.layers.iter().flatten().next() else {
            return Ok(());
        };
        if is_all(parents, first[0].dim(0)?) {
            return Ok(());
        }
        let parents = Tensor::new(parents, first[0].device())?;
        for [keys, values] in self.layers.iter_mut().flatten() {
            *keys = keys.index_select(&parents, 0)?;
            *values = values.index_select(&parents, 0)?;
        }
        Ok(())
    }
}

/// Keys and values of the encoder's output.
#[derive(Debug)]
pub(crate) struct EncoderKv {
    /// `(images, heads, source, width)`
    pub(super) layers: Vec<[Tensor; 2]>,
    /// `(images, 1, 1, source)`
    pub(super) mask: Option<Tensor>,
}

impl backend::EncoderKv for EncoderKv {
    fn keep(&mut self, images: &[u32]) -> Result<()> {
        let Some([keys, _]) = self.layers.first() else {
            return Ok(());
        };
        if is_all(images, keys.dim(0)?) {
            return Ok(());
        }
        let images = Tensor::new(images, keys.device())?;
        for [keys, values] in &mut self.layers {
            *keys = keys.index_select(&images, 0)?;
            *values = values.index_select(&images, 0)?;
        }
        if let Some(mask) = &mut self.mask {
            *mask = mask.index_select(&images, 0)?;
        }
        Ok(())
    }
}

/// Whether `rows` are all of `count`, in order.
fn is_all(rows: &[u32], count: usize) -> bool {
    rows.len() == count && rows.iter().enumerate().all(|(at, &row)| at == row as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_weights_in_sixteen_bits_sum_up_to_one() -> Result<()> {
        for dtype in [DType::F16, DType::BF16] {
            let scores = Tensor::zeros((2, 3000), dtype, &Device::Cpu)?;
            let weights = softmax(&scores, false)?.to_dtype(DType::F32)?;
            for sum in weights.sum(1)?.to_vec1::<f32>()? {
                assert!((sum - 1.0).abs() < 0.01, "{dtype:?}: {sum}");
            }
        }
        Ok(())
    }
}
