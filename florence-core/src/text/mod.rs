//! The text side: BART's encoder over visual tokens and prompt, and its
//! decoder with a cache.

mod attention;
mod cache;
mod decoder;
mod embedding;
mod encoder;
mod feed_forward;

pub(crate) use cache::{Cache, CrossCache};
pub(crate) use decoder::Decoder;
pub(crate) use embedding::TokenEmbedding;
pub(crate) use encoder::Encoder;

use candle_core::{Result, Tensor};

/// What padded source positions are given in the attention scores: far below
/// any real score, and finite, so that a fully masked row stays finite too.
const MASKED: f32 = f32::MIN;

/// A mask to add to attention scores, `(batch, 1, 1, source)`: 0 where the
/// position is real and the most negative number where it is padding. `None`
/// when nothing is padded.
pub(crate) fn padding_mask(
    lengths: &[usize],
    source: usize,
    device: &candle_core::Device,
) -> Result<Option<Tensor>> {
    if lengths.iter().all(|&length| length == source) {
        return Ok(None);
    }
    let values = lengths
        .iter()
        .flat_map(|&length| (0..source).map(move |at| if at < length { 0.0 } else { MASKED }))
        .collect::<Vec<f32>>();
    Tensor::from_vec(values, (lengths.len(), 1, 1, source), device).map(Some)
}
