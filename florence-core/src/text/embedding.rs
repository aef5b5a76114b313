//! Token and position embeddings.

use candle_core::{Device, Result as CandleResult, Tensor};

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::layers::LayerNorm;

/// The token table, shared by encoder, decoder and output head.
#[derive(Debug, Clone)]
pub(crate) struct TokenEmbedding {
    /// `(vocab, d_model)`
    table: Tensor,
    scale: f64,
}

impl TokenEmbedding {
    pub(crate) fn new(table: Tensor, scale: f64) -> Self {
        Self { table, scale }
    }

    /// `ids` as `(1, len, d_model)`; every id must be below the table's rows.
    pub(crate) fn forward(&self, ids: &[u32]) -> CandleResult<Tensor> {
        let ids = Tensor::from_slice(ids, ids.len(), self.table.device())?;
        let rows = self.table.index_select(&ids, 0)?.unsqueeze(0)?;
        if self.scale == 1.0 {
            Ok(rows)
        } else {
            rows * self.scale
        }
    }

    pub(crate) fn table(&self) -> &Tensor {
        &self.table
    }

    pub(crate) fn rows(&self) -> usize {
        self.table.dims()[0]
    }

    pub(crate) fn device(&self) -> &Device {
        self.table.device()
    }
}

/// Learned positions and the normalisation that follows them.
#[derive(Debug)]
pub(crate) struct PositionEmbedding {
    /// `(max_position_embeddings + 2, d_model)`
    table: Tensor,
    norm: LayerNorm,
}

impl PositionEmbedding {
    /// BART keeps its first two rows for a padding scheme that it no longer
    /// uses; position 0 is row 2.
    const OFFSET: usize = 2;

    pub(crate) fn load(weights: &Weights, positions: usize, dim: usize) -> Result<Self> {
        Ok(Self {
            table: weights.get("embed_positions.weight", &[positions + Self::OFFSET, dim])?,
            norm: LayerNorm::load(&weights.pp("layernorm_embedding"), dim)?,
        })
    }

    /// `embedded: (batch, len, d_model)` that starts at position `start`.
    pub(crate) fn forward(&self, embedded: &Tensor, start: usize) -> CandleResult<Tensor> {
        let positions = self
            .table
            .narrow(0, start + Self::OFFSET, embedded.dim(1)?)?;
        self.norm.forward(&embedded.broadcast_add(&positions)?)
    }
}
