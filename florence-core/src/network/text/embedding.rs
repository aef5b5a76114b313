//! Token and position embeddings.

use candle_core::Result as CandleResult;

use crate::backend::Backend;
use crate::checkpoint::{Parameter, Weights};
use crate::config::TextConfig;
use crate::error::Result;
use crate::generate::Logits;
use crate::network::layers::layer_norm;
use crate::network::loader::Loader;

/// The token table, which encoder, decoder and output head share unless the file has separate ones.
#[derive(Debug)]
pub(crate) struct TokenEmbedding<B: Backend> {
    head: B::Linear,
    /// The table of prompts, where that is not the head.
    table: Option<B::Linear>,
    /// The table of answers, where that is not the prompts' table.
    decoder: Option<B::Linear>,
    scale: f32,
}

impl<B: Backend> TokenEmbedding<B> {
    /// From the language model's `weights`. `bias` belongs to the head, which
    /// gives a score for each token.
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &TextConfig,
        bias: Option<Parameter>,
    ) -> Result<Self> {
        let shape = [config.vocab_size, config.d_model];
        let (root, bias) = (weights.root(), bias.as_slice());
        let own = |weights: &Weights, name: &str, bias: &[Parameter]| {
            let layer = || loader.linear(&[weights.get(name, &shape)?], bias);
            weights.is_own(name).then(layer).transpose()
        };
        let own_head = own(&root, "lm_head.weight", bias)?;
        let table = weights.get("shared.weight", &shape)?;
        let (head, table) = match own_head {
            Some(head) => (head, Some(loader.linear(&[table], &[])?)),
            None => (loader.linear(&[table], bias)?, None),
        };
        Ok(Self {
            head,
            table,
            decoder: own(weights, "decoder.embed_tokens.weight", &[])?,
            scale: match config.scale_embedding {
                true => (config.d_model as f64).sqrt() as f32,
                false => 1.0,
            },
        })
    }

    /// The `ids` of prompts of `len` tokens each, `(prompts, len, d_model)`;
    /// every id must be below the table's rows.
    pub(crate) fn prompts(&self, backend: &B, ids: &[u32], len: usize) -> CandleResult<B::Tensor> {
        backend.embed(self.table(), ids, len, self.scale)
    }

    /// The same for the `ids` of answers.
    pub(crate) fn answers(&self, backend: &B, ids: &[u32], len: usize) -> CandleResult<B::Tensor> {
        let table = self.decoder.as_ref().unwrap_or_else(|| self.table());
        backend.embed(table, ids, len, self.scale)
    }

    fn table(&self) -> &B::Linear {
        self.table.as_ref().unwrap_or(&self.head)
    }

    /// `hidden: (rows, len, d_model)` to `(rows, len, vocab)`.
    #[cfg(test)]
    pub(crate) fn scores(&self, backend: &B, hidden: &B::Tensor) -> CandleResult<B::Tensor> {
        backend.project(hidden, &self.head)
    }

    /// `hidden: (rows, len, d_model)` to logits of the vocabulary.
    pub(crate) fn logits(
        &self,
        backend: &B,
        hidden: &B::Tensor,
        logits: &mut Logits,
    ) -> CandleResult<()> {
        backend.logits(&self.head, hidden, logits)
    }
}

/// Learned position embeddings and the normalization that follows them.
#[derive(Debug)]
pub(crate) struct PositionEmbedding<B: Backend> {
    /// `(1, max_position_embeddings + 2, d_model)`
    table: B::Tensor,
    norm: B::LayerNorm,
}

impl<B: Backend> PositionEmbedding<B> {
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &TextConfig,
    ) -> Result<Self> {
        let rows = config.max_position_embeddings + TextConfig::POSITION_OFFSET;
        let dim = config.d_model;
        let table = weights.get("embed_positions.weight", &[rows, dim])?;
        Ok(Self {
            table: loader.table(&table)?,
            norm: layer_norm(loader, &weights.pp("layernorm_embedding"), dim)?,
        })
    }

    /// Adds positions to sequences that start at position `start`, and
    /// normalizes.
    pub(crate) fn add_to(
        &self,
        backend: &B,
        x: B::Tensor,
        start: usize,
    ) -> CandleResult<B::Tensor> {
        let start = start + TextConfig::POSITION_OFFSET;
        backend.normalize(backend.add_positions(x, &self.table, start)?, &self.norm)
    }
}
