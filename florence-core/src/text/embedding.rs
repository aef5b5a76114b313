//! Token and position embeddings.

use crate::checkpoint::Weights;
use crate::config::TextConfig;
use crate::error::Result;
use crate::layers::norm;
use crate::ops::{self, Affine, Isa, Norm, Rows, Weight};

/// The token table, which encoder, decoder and output head share unless the
/// file has others for them.
#[derive(Debug)]
pub(crate) struct TokenEmbedding {
    head: Affine,
    /// What prompts are looked up in, where that is not the head.
    table: Option<Weight>,
    /// What answers are looked up in, where that is not the prompts' table.
    decoder: Option<Weight>,
    scale: f32,
}

impl TokenEmbedding {
    /// From the language model's `weights`. `bias` belongs to the head, which
    /// gives a score for each token.
    pub(crate) fn load(
        weights: &Weights,
        config: &TextConfig,
        bias: Option<Vec<f32>>,
    ) -> Result<Self> {
        let (vocab, dim) = (config.vocab_size, config.d_model);
        let root = weights.root();
        let own_head = root.is_own("lm_head.weight");
        let table = weights.weight(&["shared.weight"], vocab, dim)?;
        let (head, table) = if own_head {
            (root.weight(&["lm_head.weight"], vocab, dim)?, Some(table))
        } else {
            (table, None)
        };
        let name = "decoder.embed_tokens.weight";
        let decoder = weights
            .is_own(name)
            .then(|| weights.weight(&[name], vocab, dim))
            .transpose()?;
        Ok(Self {
            head: Affine::new(head, bias)?,
            table,
            decoder,
            scale: if config.scale_embedding {
                (dim as f64).sqrt() as f32
            } else {
                1.0
            },
        })
    }

    /// The `ids` of a prompt as rows `(len, d_model)`; every id must be below
    /// the table's rows.
    pub(crate) fn rows(&self, ids: &[u32]) -> Vec<f32> {
        self.look_up(self.table(), ids)
    }

    /// The same for the `ids` of an answer.
    pub(crate) fn decoder_rows(&self, ids: &[u32]) -> Vec<f32> {
        self.look_up(self.decoder.as_ref().unwrap_or_else(|| self.table()), ids)
    }

    fn table(&self) -> &Weight {
        self.table.as_ref().unwrap_or_else(|| self.head.weight())
    }

    fn look_up(&self, table: &Weight, ids: &[u32]) -> Vec<f32> {
        let dim = self.dim();
        let mut rows = vec![0.0; ids.len() * dim];
        for (row, &id) in rows.chunks_exact_mut(dim).zip(ids) {
            table.output(id as usize, row);
            row.iter_mut().for_each(|v| *v *= self.scale);
        }
        rows
    }

    /// `hidden: (rows, d_model)` to `logits: (rows, vocab)`, with each row's
    /// `ln Σ exp`.
    pub(crate) fn logits(&self, hidden: &[f32], logits: &mut Vec<f32>, log_sums: &mut Vec<f32>) {
        let rows = hidden.len() / self.dim();
        logits.resize(rows * self.vocab(), 0.0);
        let hidden = Rows::dense(hidden, rows, self.dim());
        ops::logits(Isa::best(), &self.head, hidden, logits, log_sums);
    }

    pub(crate) fn vocab(&self) -> usize {
        self.head.outputs()
    }

    pub(crate) fn dim(&self) -> usize {
        self.head.inputs()
    }
}

/// Learned positions and the normalisation that follows them.
#[derive(Debug)]
pub(crate) struct PositionEmbedding {
    /// `(max_position_embeddings + 2, d_model)`
    table: Vec<f32>,
    norm: Norm,
}

impl PositionEmbedding {
    /// BART keeps its first two rows for a padding scheme that it no longer
    /// uses; position 0 is row 2.
    const OFFSET: usize = 2;

    pub(crate) fn load(weights: &Weights, positions: usize, dim: usize) -> Result<Self> {
        Ok(Self {
            table: weights.values("embed_positions.weight", &[positions + Self::OFFSET, dim])?,
            norm: norm(&weights.pp("layernorm_embedding"), dim)?,
        })
    }

    /// Adds positions to `x`, sequences of `len` rows that start at position
    /// `start`, and normalises.
    pub(crate) fn add_to(&self, x: &mut [f32], len: usize, start: usize) {
        let dim = self.norm.dim();
        let positions = &self.table[(start + Self::OFFSET) * dim..][..len * dim];
        for x in x.chunks_exact_mut(len * dim) {
            for (x, position) in x.iter_mut().zip(positions) {
                *x += position;
            }
        }
        ops::rows_in_place(Isa::best(), &self.norm, x);
    }
}
