//! Log-probabilities of given answers.

use candle_core::Tensor;

use super::generate::lengths;
use super::{Florence2, on};
use crate::backend::Backend;
use crate::backend::cpu::in_pool;
use crate::error::{Error, Result};
use crate::generate::Logits;
use crate::network::Network;
use crate::probe::Observer;

/// Rows whose logits are in memory at once.
const ROWS: usize = 64;

impl Florence2 {
    /// The log-probability of every token of given decoder sequences, but for
    /// the first of each: one pass instead of a search.
    ///
    /// `image_features` and `prompts` are those of [`Florence2::generate`];
    /// `decoder_ids` are sequences of any lengths in the form of
    /// [`Generation::token_ids`](crate::Generation::token_ids), the same number
    /// of them for each prompt: first those of the first prompt, then those of
    /// the second, and so on. The probabilities are those of the network itself:
    /// no rule of a generation changes them, a forced token has the probability
    /// that the network gives it.
    ///
    /// # Errors
    ///
    /// As [`Florence2::generate`], and when the number of decoder sequences is
    /// no multiple of that of the prompts, or one is empty, too long or holds an
    /// unknown id.
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
    /// let config = florence.generation_config();
    /// let answer = |text: &str| -> florence_core::Result<Vec<u32>> {
    ///     let ids = florence.tokenizer().encode(text)?;
    ///     Ok([vec![config.get_decoder_start_token_id()], ids].concat())
    /// };
    /// let logprobs = florence.score(&features, &[prompt], &[answer("yes")?, answer("no")?])?;
    /// let [yes, no] = [0, 1].map(|at| logprobs[at].iter().sum::<f32>());
    /// assert!(yes < 0.0 && no < 0.0);
    /// # Ok::<(), florence_core::Error>(())
    /// ```
    pub fn score(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        decoder_ids: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>> {
        in_pool(|| self.score_here(image_features, prompts, decoder_ids))
    }

    fn score_here(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        decoder_ids: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>> {
        let positions = self.inner.config.text.max_position_embeddings;
        let longest = decoder_ids.iter().map(Vec::len).max().unwrap_or(0);
        let groups = decoder_ids.len().checked_rem(prompts.len());
        if groups != Some(0)
            || decoder_ids.iter().any(Vec::is_empty)
            || longest == 0
            || longest > positions + 1
        {
            return Err(Error::argument(
                "decoder_ids",
                lengths(decoder_ids),
                format!(
                    "a multiple of {} sequences, each of 1 to {} tokens",
                    prompts.len(),
                    positions + 1
                ),
            ));
        }
        self.check_ids("decoder_ids", &decoder_ids.concat())?;
        // The last token of a sequence is only scored, not fed.
        let len = longest - 1;
        if len == 0 {
            return Ok(vec![Vec::new(); decoder_ids.len()]);
        }
        self.check_prompts(image_features, prompts)?;
        on!(&self.inner.network, network => {
            self.score_on(network, image_features, prompts, decoder_ids, len)
        })
    }

    fn score_on<B: Backend>(
        &self,
        network: &Network<B>,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        decoder_ids: &[Vec<u32>],
        len: usize,
    ) -> Result<Vec<Vec<f32>>> {
        let text = &self.inner.config.text;
        let no_probe = &mut Observer::none();
        let kv = network.encode_prompts(image_features, prompts, no_probe)?;
        let fed = decoder_ids.iter().flat_map(|ids| {
            let ids = ids[..ids.len() - 1].iter().copied();
            ids.chain(std::iter::repeat(text.pad_token_id)).take(len)
        });
        let fed = fed.collect::<Vec<_>>();
        let mut cache = network.kv_cache(decoder_ids.len());
        let hidden = network.decode(&fed, decoder_ids.len(), &mut cache, &kv, no_probe)?;
        let mut logits = Logits::default();
        let mut scores = Vec::with_capacity(decoder_ids.len());
        for (answer, ids) in decoder_ids.iter().enumerate() {
            let mut logprobs = Vec::with_capacity(ids.len() - 1);
            for (piece, ids) in ids[1..].chunks(ROWS).enumerate() {
                let start = piece * ROWS;
                let rows = start..start + ids.len();
                let hidden = network.backend.slice(&hidden, answer, rows)?;
                network.logits(&hidden, &mut logits)?;
                let rows = logits.values.chunks_exact(text.vocab_size);
                for ((&id, row), &log_sum) in ids.iter().zip(rows).zip(&logits.log_sums) {
                    if !log_sum.is_finite() {
                        return Err(Error::NonFinite {
                            image: answer * prompts.len() / decoder_ids.len(),
                            step: logprobs.len() + 1,
                        });
                    }
                    logprobs.push(row[id as usize] - log_sum);
                }
            }
            scores.push(logprobs);
        }
        Ok(scores)
    }
}
