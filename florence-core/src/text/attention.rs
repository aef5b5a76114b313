//! Multi-head attention of BART.

use candle_core::{D, Result as CandleResult, Tensor};
use candle_nn::ops::softmax_last_dim;

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::Linear;

#[derive(Debug)]
pub(crate) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
}

impl Attention {
    pub(crate) fn load(weights: &Weights, dim: usize, heads: usize) -> Result<Self> {
        let linear = |name| Linear::load(&weights.pp(name), dim, dim);
        Ok(Self {
            query: linear("q_proj")?,
            key: linear("k_proj")?,
            value: linear("v_proj")?,
            out: linear("out_proj")?,
            heads,
        })
    }

    /// Keys and values of `source: (batch, len, dim)`, each
    /// `(batch, heads, len, head_dim)`.
    pub(crate) fn keys_values(&self, source: &Tensor) -> CandleResult<(Tensor, Tensor)> {
        Ok((
            self.split(&self.key.forward(source)?)?,
            self.split(&self.value.forward(source)?)?,
        ))
    }

    /// `x: (batch, len, dim)` attends to keys and values of
    /// [`Attention::keys_values`]; `mask` is added to the scores and broadcasts
    /// over heads and queries.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        mask: Option<&Tensor>,
    ) -> CandleResult<Tensor> {
        let (batch, len, dim) = x.dims3()?;
        let scale = ((dim / self.heads) as f64).powf(-0.5);
        let query = (self.split(&self.query.forward(x)?)? * scale)?;
        let scores = query.matmul(&keys.transpose(D::Minus2, D::Minus1)?)?;
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let mixed = softmax_last_dim(&scores)?.matmul(values)?;
        self.out
            .forward(&mixed.transpose(1, 2)?.reshape((batch, len, dim))?)
    }

    /// `(batch, len, dim)` to `(batch, heads, len, head_dim)`.
    fn split(&self, x: &Tensor) -> CandleResult<Tensor> {
        let (batch, len, dim) = x.dims3()?;
        x.reshape((batch, len, self.heads, dim / self.heads))?
            .transpose(1, 2)?
            .contiguous()
    }
}
