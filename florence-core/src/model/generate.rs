//! Generation: encoder, decoder and head.

use std::ops::RangeInclusive;
use std::time::Instant;

use candle_core::{Device, Tensor};

use super::{Florence2, on};
use crate::backend::cpu::{BusyWait, Generating, in_pool};
use crate::backend::{Backend, EncoderKv, KvCache};
use crate::error::{Error, Result};
use crate::generate::{self, Generation, GenerationConfig, Logits, NextLogits, Step};
use crate::network::Network;
use crate::probe::{Observer, Probe};

impl Florence2 {
    /// Answers one prompt for each image.
    ///
    /// `image_features: (batch, visual_tokens, d_model)` come from
    /// [`Florence2::encode_pixels`]; `prompts` are token ids with their `<s>`
    /// and `</s>`, of any lengths. The answers come in the same order, and each
    /// is the answer that its image and prompt get alone.
    ///
    /// # Errors
    ///
    /// When the number of prompts is not the batch, when a prompt is empty, too
    /// long for the encoder's positions or holds an unknown id, when an option
    /// is out of range, or when the network computes a NaN.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// use candle_core::{DType, Device, Tensor};
    /// use florence_core::GenerationConfig;
    ///
    /// let pixels = Tensor::zeros((1, 3, 96, 96), DType::F32, &Device::Cpu)?;
    /// let features = florence.encode_pixels(&pixels)?;
    /// let prompt = florence.tokenizer().encode("Hi?")?;
    /// let config = florence.generation_config().max_new_tokens(8);
    /// let answers = florence.generate(&features, &[prompt], &config)?;
    /// assert_eq!(answers[0].logprobs.len(), answers[0].token_ids.len() - 1);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn generate(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        config: &GenerationConfig,
    ) -> Result<Vec<Generation>> {
        // Before the work reaches the pool, so that none of its threads busy-waits for it.
        let _generating = Generating::begin();
        in_pool(|| self.generate_here(image_features, prompts, config))
    }

    fn generate_here(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        config: &GenerationConfig,
    ) -> Result<Vec<Generation>> {
        config.validate(self.inner.config.text.vocab_size)?;
        self.check_prompts(image_features, prompts)?;
        on!(&self.inner.network, network => {
            self.generate_on(network, image_features, prompts, config)
        })
    }

    fn generate_on<B: Backend>(
        &self,
        network: &Network<B>,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        config: &GenerationConfig,
    ) -> Result<Vec<Generation>> {
        let start = Instant::now();
        let kv = network.encode_prompts(image_features, prompts, &mut Observer::none())?;
        let encoder_time = start.elapsed();
        let start = Instant::now();
        let text = &self.inner.config.text;
        let mut session = Session {
            network,
            kv,
            cache: network.kv_cache(prompts.len() * config.num_beams),
            logits: Logits::default(),
            busy_wait: BusyWait::new(self.inner.busy_wait),
        };
        let answers = generate::run(
            &mut session,
            prompts.len(),
            (text.vocab_size, text.max_position_embeddings),
            self.location_ids(),
            config,
        )?;
        let decoder_time = start.elapsed();
        Ok(answers
            .into_iter()
            .map(|(hypothesis, finish)| Generation {
                token_ids: hypothesis.token_ids,
                logprobs: hypothesis.logprobs,
                score: hypothesis.score,
                finish,
                encoder_time,
                decoder_time,
            })
            .collect())
    }

    /// The logits `(batch, len, vocab)` after every token of given decoder
    /// sequences of one length, showing every activation to `probe`.
    ///
    /// # Errors
    ///
    /// As [`Florence2::generate`], and when the decoder sequences differ in
    /// length, are empty or too long.
    ///
    /// # Example
    ///
    /// ```
    /// # let florence = florence_core::Florence2::load(florence_core::Checkpoint::from_dir("tests/goldens/plain")?)?;
    /// use candle_core::{DType, Device, Tensor};
    ///
    /// let pixels = Tensor::zeros((1, 3, 96, 96), DType::F32, &Device::Cpu)?;
    /// let features = florence.encode_pixels(&pixels)?;
    /// let prompt = florence.tokenizer().encode("Hi?")?;
    /// let logits = florence.forward(&features, &[prompt], &[vec![2, 0]], &mut |_, _| {})?;
    /// assert_eq!(logits.dims()[..2], [1, 2]);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn forward(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        decoder_ids: &[Vec<u32>],
        probe: &mut Probe<'_>,
    ) -> Result<Tensor> {
        self.check_prompts(image_features, prompts)?;
        let len = decoder_ids.first().map_or(0, Vec::len);
        let positions = self.inner.config.text.max_position_embeddings;
        if decoder_ids.len() != prompts.len()
            || decoder_ids.iter().any(|ids| ids.len() != len)
            || len == 0
            || len > positions
        {
            return Err(Error::argument(
                "decoder_ids",
                lengths(decoder_ids),
                format!(
                    "{} sequences of one length from 1 to {positions}",
                    prompts.len()
                ),
            ));
        }
        let tokens = decoder_ids.concat();
        self.check_ids("decoder_ids", &tokens)?;
        let mut observer = Observer::new(probe);
        let mut logits = Logits::default();
        on!(&self.inner.network, network => {
            let kv = network.encode_prompts(image_features, prompts, &mut observer)?;
            let mut cache = network.kv_cache(prompts.len());
            let rows = prompts.len();
            let hidden = network.decode(&tokens, rows, &mut cache, &kv, &mut observer)?;
            network.logits(&hidden, &mut logits)?;
        });
        let shape = (prompts.len(), len, self.inner.config.text.vocab_size);
        Ok(Tensor::from_vec(logits.values, shape, &Device::Cpu)?)
    }

    /// Checks prompts and features against each other and the network.
    pub(super) fn check_prompts(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
    ) -> Result<()> {
        let dim = self.inner.config.text.d_model;
        let &[batch, visual, found] = image_features.dims() else {
            return Err(self.wrong_features(image_features));
        };
        if found != dim || batch == 0 || visual == 0 {
            return Err(self.wrong_features(image_features));
        }
        if prompts.len() != batch {
            return Err(Error::argument(
                "prompts",
                format!("{} prompts", prompts.len()),
                format!("{batch}, one for each image"),
            ));
        }
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
        let room = self
            .inner
            .config
            .text
            .max_position_embeddings
            .saturating_sub(visual);
        if longest > room || prompts.iter().any(Vec::is_empty) {
            return Err(Error::argument(
                "prompts",
                lengths(prompts),
                format!("1 to {room} tokens beside {visual} visual tokens"),
            ));
        }
        for prompt in prompts {
            self.check_ids("prompts", prompt)?;
        }
        Ok(())
    }

    fn wrong_features(&self, found: &Tensor) -> Error {
        Error::argument(
            "image_features",
            format!("of shape {:?}", found.dims()),
            format!("(batch, visual_tokens, {})", self.inner.config.text.d_model),
        )
    }

    pub(super) fn check_ids(&self, argument: &'static str, ids: &[u32]) -> Result<()> {
        let vocab = self.inner.config.text.vocab_size;
        match ids.iter().find(|&&id| id as usize >= vocab) {
            Some(id) => Err(Error::argument(
                argument,
                format!("token id {id}"),
                format!("ids below {vocab}"),
            )),
            None => Ok(()),
        }
    }

    fn location_ids(&self) -> Option<RangeInclusive<u32>> {
        let tokenizer = &self.inner.tokenizer;
        Some(tokenizer.location_id(0)?..=tokenizer.location_id(999)?)
    }
}

/// How many tokens each of some sequences has, for messages.
pub(super) fn lengths(sequences: &[Vec<u32>]) -> String {
    let lengths = sequences.iter().map(Vec::len).collect::<Vec<_>>();
    format!("{lengths:?} tokens")
}

/// One generation in progress.
struct Session<'a, B: Backend> {
    network: &'a Network<B>,
    kv: B::EncoderKv,
    cache: B::KvCache,
    logits: Logits,
    busy_wait: BusyWait,
}

impl<B: Backend> NextLogits for Session<'_, B> {
    fn next_logits(&mut self, step: &Step) -> Result<&mut Logits> {
        self.busy_wait.renew();
        self.kv.keep(&step.images)?;
        self.cache.reorder(&step.parents)?;
        let (tokens, rows) = (&step.tokens, step.tokens.len());
        let no_probe = &mut Observer::none();
        let hidden = self
            .network
            .decode(tokens, rows, &mut self.cache, &self.kv, no_probe)?;
        self.network.logits(&hidden, &mut self.logits)?;
        Ok(&mut self.logits)
    }
}
