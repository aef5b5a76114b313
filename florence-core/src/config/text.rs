//! The language model's dimensions.

use super::{Activation, ConfigDialect, read::Section};
use crate::Result;

/// Maximum plausible width of a layer; larger numbers are corruption.
const MAX_WIDTH: usize = 1 << 16;

/// The BART encoder and decoder.
///
/// Defaults for absent keys are those of the reference's classes
/// (BART-large); they differ in the vocabulary only: 51,289 for Microsoft's
/// `Florence2LanguageConfig`, 50,265 for transformers' `BartConfig`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TextConfig {
    /// Rows of the embedding table and of the output head. Native
    /// checkpoints pad it beyond the tokenizer's vocabulary (51,328 rows).
    pub vocab_size: usize,
    /// Width of all layers.
    pub d_model: usize,
    /// Encoder layers.
    pub encoder_layers: usize,
    /// Decoder layers.
    pub decoder_layers: usize,
    /// Attention heads in the encoder; divides `d_model`.
    pub encoder_attention_heads: usize,
    /// Attention heads in the decoder; divides `d_model`.
    pub decoder_attention_heads: usize,
    /// Hidden width of the encoder's feed-forward blocks.
    pub encoder_ffn_dim: usize,
    /// Hidden width of the decoder's feed-forward blocks.
    pub decoder_ffn_dim: usize,
    /// Maximum positions of the encoder (visual tokens and prompt together) and of the decoder. The
    /// tables have two rows more: [`TextConfig::POSITION_OFFSET`].
    pub max_position_embeddings: usize,
    /// The feed-forward blocks' activation.
    pub activation: Activation,
    /// Whether embeddings are multiplied by `sqrt(d_model)`.
    pub scale_embedding: bool,
    /// Whether the file says that the embedding table is the output head too
    /// (`tie_word_embeddings`, there and at the top level). The weights decide: a head with other
    /// values is used.
    pub tied: bool,
    /// `<s>`.
    pub bos_token_id: u32,
    /// `</s>`.
    pub eos_token_id: u32,
    /// `<pad>`.
    pub pad_token_id: u32,
    /// The start token of the decoder.
    pub decoder_start_token_id: u32,
}

impl TextConfig {
    /// BART's position tables start at row 2: position `p` is row `p + 2`
    /// (`BartLearnedPositionalEmbedding.offset`).
    pub const POSITION_OFFSET: usize = 2;

    pub(super) fn read(s: &Section<'_>, dialect: ConfigDialect) -> Result<Self> {
        s.one_of("model_type", "bart", &["bart", "florence2_language"])?;
        let vocab_default = match dialect {
            ConfigDialect::Microsoft => 51_289,
            ConfigDialect::Native => 50_265,
        };
        let vocab_size = s.usize("vocab_size", vocab_default, 5..=1 << 22)?;
        let d_model = s.usize("d_model", 1024, 1..=MAX_WIDTH)?;
        let heads = |key: &str| -> Result<usize> {
            let n = s.usize(key, 16, 1..=MAX_WIDTH)?;
            if d_model % n == 0 {
                Ok(n)
            } else {
                Err(s.refuse(key, format!("a divisor of d_model {d_model}")))
            }
        };
        let id = |key: &str, default: u32| -> Result<u32> {
            let id = s.id(key)?.unwrap_or(default);
            if (id as usize) < vocab_size {
                Ok(id)
            } else {
                Err(s.refuse(key, format!("a token id below vocab_size {vocab_size}")))
            }
        };
        Ok(TextConfig {
            vocab_size,
            d_model,
            encoder_layers: s.usize("encoder_layers", 12, 1..=256)?,
            decoder_layers: s.usize("decoder_layers", 12, 1..=256)?,
            encoder_attention_heads: heads("encoder_attention_heads")?,
            decoder_attention_heads: heads("decoder_attention_heads")?,
            encoder_ffn_dim: s.usize("encoder_ffn_dim", 4096, 1..=MAX_WIDTH)?,
            decoder_ffn_dim: s.usize("decoder_ffn_dim", 4096, 1..=MAX_WIDTH)?,
            max_position_embeddings: s.usize("max_position_embeddings", 1024, 1..=1 << 20)?,
            activation: Activation::read(s)?,
            scale_embedding: s.bool("scale_embedding", false)?,
            tied: s.bool("tie_word_embeddings", true)?,
            bos_token_id: id("bos_token_id", 0)?,
            eos_token_id: id("eos_token_id", 2)?,
            pad_token_id: id("pad_token_id", 1)?,
            decoder_start_token_id: id("decoder_start_token_id", 2)?,
        })
    }
}
