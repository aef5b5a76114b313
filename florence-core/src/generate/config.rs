//! How an answer is searched for.

use std::sync::Arc;

use super::processors::LogitsProcessor;
use crate::config::{Config, EarlyStopping};
use crate::error::{Error, Result};

/// The options of [`Florence2::generate`](crate::Florence2::generate), named as
/// in the reference.
///
/// [`Florence2::generation_config`](crate::Florence2::generation_config) has
/// those that a checkpoint asks for; start from these.
///
/// # Example: greedy and short
///
/// ```
/// use florence_core::GenerationConfig;
///
/// let config = GenerationConfig { num_beams: 1, max_new_tokens: 64, ..Default::default() };
/// assert_eq!(config.no_repeat_ngram_size, 3);
/// ```
#[derive(Debug, Clone)]
pub struct GenerationConfig {
    /// Beams that are kept at every step; 1 is greedy decoding.
    pub num_beams: usize,
    /// Tokens after the start token at most, the closing `</s>` included.
    /// Never more than the decoder has positions for.
    pub max_new_tokens: usize,
    /// When beam search may stop.
    pub early_stopping: EarlyStopping,
    /// A finished answer's score is the sum of its log-probabilities divided by
    /// its length to this power: above 0 favours long answers.
    pub length_penalty: f32,
    /// No run of this many tokens may come twice; 0 switches the rule off.
    pub no_repeat_ngram_size: usize,
    /// Exempts location tokens from the rule above: boxes and polygons may
    /// repeat coordinates. The reference has no such exemption.
    pub no_repeat_exempts_locations: bool,
    /// The first token after the start token, if one is forced.
    pub forced_bos_token_id: Option<u32>,
    /// The token that is forced when `max_new_tokens` is about to be reached.
    pub forced_eos_token_id: Option<u32>,
    /// What the decoder starts from.
    pub decoder_start_token_id: u32,
    /// The token that ends an answer.
    pub eos_token_id: u32,
    /// Further rules, applied after the ones above and in order.
    pub logits_processors: Vec<Arc<dyn LogitsProcessor>>,
}

impl Default for GenerationConfig {
    /// What the published checkpoints ask for in their `text_config`.
    fn default() -> Self {
        Self {
            num_beams: 3,
            max_new_tokens: 1024,
            early_stopping: EarlyStopping::True,
            length_penalty: 1.0,
            no_repeat_ngram_size: 3,
            no_repeat_exempts_locations: false,
            forced_bos_token_id: Some(0),
            forced_eos_token_id: Some(2),
            decoder_start_token_id: 2,
            eos_token_id: 2,
            logits_processors: Vec::new(),
        }
    }
}

impl GenerationConfig {
    /// What the checkpoint asks for, and as many new tokens as it has positions
    /// for, 1,024 at most.
    pub(crate) fn of(config: &Config) -> Self {
        let (text, generation) = (&config.text, &config.generation);
        Self {
            num_beams: generation.num_beams,
            max_new_tokens: text.max_position_embeddings.min(1024),
            early_stopping: generation.early_stopping,
            length_penalty: generation.length_penalty as f32,
            no_repeat_ngram_size: generation.no_repeat_ngram_size,
            no_repeat_exempts_locations: false,
            forced_bos_token_id: generation.forced_bos_token_id,
            forced_eos_token_id: generation.forced_eos_token_id,
            decoder_start_token_id: text.decoder_start_token_id,
            eos_token_id: text.eos_token_id,
            logits_processors: Vec::new(),
        }
    }

    /// Checks the options against a vocabulary of `vocab` tokens.
    pub(crate) fn validate(&self, vocab: usize) -> Result<()> {
        if self.num_beams == 0 || self.num_beams > vocab / 2 {
            return Err(Error::argument(
                "num_beams",
                self.num_beams,
                format!("1 to {}", vocab / 2),
            ));
        }
        if self.max_new_tokens == 0 {
            return Err(Error::argument("max_new_tokens", 0, "at least 1"));
        }
        if !self.length_penalty.is_finite() {
            return Err(Error::argument(
                "length_penalty",
                self.length_penalty,
                "a finite number",
            ));
        }
        let ids = [
            ("forced_bos_token_id", self.forced_bos_token_id),
            ("forced_eos_token_id", self.forced_eos_token_id),
            ("decoder_start_token_id", Some(self.decoder_start_token_id)),
            ("eos_token_id", Some(self.eos_token_id)),
        ];
        for (argument, id) in ids {
            if let Some(id) = id.filter(|&id| id as usize >= vocab) {
                return Err(Error::argument(
                    argument,
                    id,
                    format!("a token id below {vocab}"),
                ));
            }
        }
        Ok(())
    }
}
