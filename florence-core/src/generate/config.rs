//! Generation options.

use std::sync::Arc;

use super::processors::LogitsProcessor;
use crate::config::{Config, EarlyStopping};
use crate::error::{Error, Result};

/// The options of [`Florence2::generate`](crate::Florence2::generate), named as in the reference.
///
/// [`Florence2::generation_config`](crate::Florence2::generation_config) gives those that a
/// checkpoint asks for; start from these.
///
/// # Example: greedy and short
///
/// ```
/// use florence_core::GenerationConfig;
///
/// let config = GenerationConfig::new().num_beams(1).max_new_tokens(64);
/// assert_eq!(config.get_num_beams(), 1);
/// assert_eq!(config.get_no_repeat_ngram_size(), 3);
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
pub struct GenerationConfig {
    pub(crate) num_beams: usize,
    pub(crate) max_new_tokens: usize,
    pub(crate) early_stopping: EarlyStopping,
    pub(crate) length_penalty: f32,
    pub(crate) no_repeat_ngram_size: usize,
    pub(crate) no_repeat_exempts_locations: bool,
    pub(crate) forced_bos_token_id: Option<u32>,
    pub(crate) forced_eos_token_id: Option<u32>,
    pub(crate) decoder_start_token_id: u32,
    pub(crate) eos_token_id: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) logits_processors: Vec<Arc<dyn LogitsProcessor>>,
}

impl Default for GenerationConfig {
    /// The settings of the published checkpoints.
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
    /// The settings of the published checkpoints.
    ///
    /// # Example
    ///
    /// ```
    /// assert_eq!(florence_core::GenerationConfig::new().get_num_beams(), 3);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of beams, kept at every step; 1 is greedy decoding.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().num_beams(1);
    /// assert_eq!(config.get_num_beams(), 1);
    /// ```
    #[must_use]
    pub fn num_beams(mut self, num_beams: usize) -> Self {
        self.num_beams = num_beams;
        self
    }

    /// See [`num_beams`](Self::num_beams).
    pub fn get_num_beams(&self) -> usize {
        self.num_beams
    }

    /// Maximum number of tokens after the start token, the closing `</s>` included; never more than
    /// the decoder has positions for.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().max_new_tokens(64);
    /// assert_eq!(config.get_max_new_tokens(), 64);
    /// ```
    #[must_use]
    pub fn max_new_tokens(mut self, max_new_tokens: usize) -> Self {
        self.max_new_tokens = max_new_tokens;
        self
    }

    /// See [`max_new_tokens`](Self::max_new_tokens).
    pub fn get_max_new_tokens(&self) -> usize {
        self.max_new_tokens
    }

    /// When beam search may stop.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::{EarlyStopping, GenerationConfig};
    ///
    /// let config = GenerationConfig::new().early_stopping(EarlyStopping::Never);
    /// assert_eq!(config.get_early_stopping(), EarlyStopping::Never);
    /// ```
    #[must_use]
    pub fn early_stopping(mut self, early_stopping: EarlyStopping) -> Self {
        self.early_stopping = early_stopping;
        self
    }

    /// See [`early_stopping`](Self::early_stopping).
    pub fn get_early_stopping(&self) -> EarlyStopping {
        self.early_stopping
    }

    /// Exponent of the length by which the sum of the log-probabilities of a finished hypothesis is
    /// divided: above 0 favors long answers.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().length_penalty(0.5);
    /// assert_eq!(config.get_length_penalty(), 0.5);
    /// ```
    #[must_use]
    pub fn length_penalty(mut self, length_penalty: f32) -> Self {
        self.length_penalty = length_penalty;
        self
    }

    /// See [`length_penalty`](Self::length_penalty).
    pub fn get_length_penalty(&self) -> f32 {
        self.length_penalty
    }

    /// No n-gram of this size may occur twice; 0 switches the rule off.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().no_repeat_ngram_size(0);
    /// assert_eq!(config.get_no_repeat_ngram_size(), 0);
    /// ```
    #[must_use]
    pub fn no_repeat_ngram_size(mut self, no_repeat_ngram_size: usize) -> Self {
        self.no_repeat_ngram_size = no_repeat_ngram_size;
        self
    }

    /// See [`no_repeat_ngram_size`](Self::no_repeat_ngram_size).
    pub fn get_no_repeat_ngram_size(&self) -> usize {
        self.no_repeat_ngram_size
    }

    /// Exempts location tokens from [`no_repeat_ngram_size`](Self::no_repeat_ngram_size): boxes and
    /// polygons may repeat coordinates. The reference has no such exemption.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().no_repeat_exempts_locations(true);
    /// assert_eq!(config.get_no_repeat_exempts_locations(), true);
    /// ```
    #[must_use]
    pub fn no_repeat_exempts_locations(mut self, no_repeat_exempts_locations: bool) -> Self {
        self.no_repeat_exempts_locations = no_repeat_exempts_locations;
        self
    }

    /// See [`no_repeat_exempts_locations`](Self::no_repeat_exempts_locations).
    pub fn get_no_repeat_exempts_locations(&self) -> bool {
        self.no_repeat_exempts_locations
    }

    /// The first token after the start token, if one is forced.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().forced_bos_token_id(None);
    /// assert_eq!(config.get_forced_bos_token_id(), None);
    /// ```
    #[must_use]
    pub fn forced_bos_token_id(mut self, forced_bos_token_id: Option<u32>) -> Self {
        self.forced_bos_token_id = forced_bos_token_id;
        self
    }

    /// See [`forced_bos_token_id`](Self::forced_bos_token_id).
    pub fn get_forced_bos_token_id(&self) -> Option<u32> {
        self.forced_bos_token_id
    }

    /// The token that is forced when [`max_new_tokens`](Self::max_new_tokens) is about to be reached.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().forced_eos_token_id(None);
    /// assert_eq!(config.get_forced_eos_token_id(), None);
    /// ```
    #[must_use]
    pub fn forced_eos_token_id(mut self, forced_eos_token_id: Option<u32>) -> Self {
        self.forced_eos_token_id = forced_eos_token_id;
        self
    }

    /// See [`forced_eos_token_id`](Self::forced_eos_token_id).
    pub fn get_forced_eos_token_id(&self) -> Option<u32> {
        self.forced_eos_token_id
    }

    /// The token that the decoder starts from.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().decoder_start_token_id(0);
    /// assert_eq!(config.get_decoder_start_token_id(), 0);
    /// ```
    #[must_use]
    pub fn decoder_start_token_id(mut self, decoder_start_token_id: u32) -> Self {
        self.decoder_start_token_id = decoder_start_token_id;
        self
    }

    /// See [`decoder_start_token_id`](Self::decoder_start_token_id).
    pub fn get_decoder_start_token_id(&self) -> u32 {
        self.decoder_start_token_id
    }

    /// The token that ends an answer.
    ///
    /// # Example
    ///
    /// ```
    /// use florence_core::GenerationConfig;
    ///
    /// let config = GenerationConfig::new().eos_token_id(3);
    /// assert_eq!(config.get_eos_token_id(), 3);
    /// ```
    #[must_use]
    pub fn eos_token_id(mut self, eos_token_id: u32) -> Self {
        self.eos_token_id = eos_token_id;
        self
    }

    /// See [`eos_token_id`](Self::eos_token_id).
    pub fn get_eos_token_id(&self) -> u32 {
        self.eos_token_id
    }

    /// Adds a rule on the next token, applied after the built-in ones and in order.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use florence_core::{GenerationConfig, LogitsProcessor};
    ///
    /// #[derive(Debug)]
    /// struct Forbid(u32);
    ///
    /// impl LogitsProcessor for Forbid {
    ///     fn process(&self, _token_ids: &[u32], scores: &mut [f32]) {
    ///         scores[self.0 as usize] = f32::NEG_INFINITY;
    ///     }
    /// }
    ///
    /// let config = GenerationConfig::new().logits_processor(Arc::new(Forbid(7)));
    /// assert_eq!(config.get_logits_processors().len(), 1);
    /// ```
    #[must_use]
    pub fn logits_processor(mut self, processor: Arc<dyn LogitsProcessor>) -> Self {
        self.logits_processors.push(processor);
        self
    }

    /// See [`logits_processor`](Self::logits_processor).
    pub fn get_logits_processors(&self) -> &[Arc<dyn LogitsProcessor>] {
        &self.logits_processors
    }

    /// The settings of the checkpoint, and as many new tokens as it has positions for, at most
    /// 1,024.
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
