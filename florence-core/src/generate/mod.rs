//! Decoding: greedy and beam search over logits.
//!
//! A [`Search`] per image proposes tokens; the driver in [`run`] feeds all of
//! them to the model together, and drops an image as soon as its search is done.

mod beam;
mod config;
mod greedy;
mod processors;
mod rules;
mod scores;

pub use config::GenerationConfig;
pub use processors::LogitsProcessor;

use std::ops::RangeInclusive;
use std::time::Duration;

use beam::BeamSearch;
use greedy::Greedy;
use rules::Rules;
use scores::Row;

use crate::error::{Error, Result};

/// A generated answer as token ids.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Generation {
    /// The whole decoder sequence, from the start token to the closing `</s>`
    /// (or to the limit), without padding.
    pub token_ids: Vec<u32>,
    /// The log-probability of every token after the start token, one less than
    /// there are ids. A forced token counts 0, as in the reference.
    pub logprobs: Vec<f32>,
    /// The score that the search ranks answers by: the sum of `logprobs` divided by their number to
    /// the power of `length_penalty`; the plain sum for greedy decoding.
    pub score: f32,
    /// Why the answer ends.
    pub finish: FinishReason,
    /// Time spent on this call's prompt encoding, shared by its batch.
    pub encoder_time: Duration,
    /// Time spent on this call's decoding, shared by its batch.
    pub decoder_time: Duration,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model wrote its end token.
    EndOfSequence,
    /// `max_new_tokens` was reached: the answer may be cut off.
    MaxNewTokens,
}

/// A partial hypothesis.
#[derive(Debug, Clone)]
pub(crate) struct Hypothesis {
    pub(crate) token_ids: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
    pub(crate) score: f32,
}

impl Hypothesis {
    fn new(start: u32) -> Self {
        Self {
            token_ids: vec![start],
            logprobs: Vec::new(),
            score: 0.0,
        }
    }

    fn extended(&self, token: u32, logprob: f32) -> Self {
        let mut longer = self.clone();
        longer.token_ids.push(token);
        longer.logprobs.push(logprob);
        longer
    }
}

/// The next step of a search.
#[derive(Debug)]
pub(crate) enum Next {
    /// For every row, the row that it continues and the token to feed.
    Rows(Vec<(usize, u32)>),
    Done,
}

/// The rows to feed to the model in one step.
#[derive(Debug)]
pub(crate) struct Step {
    /// The images still in progress, as positions among the previous step's.
    pub(crate) images: Vec<u32>,
    /// For every row, the previous step's row that it continues.
    pub(crate) parents: Vec<u32>,
    /// For every row, the token to feed.
    pub(crate) tokens: Vec<u32>,
}

/// The logits of the next token.
#[derive(Debug, Default)]
pub(crate) struct Logits {
    /// One row of the vocabulary's length for each row of a step.
    pub(crate) values: Vec<f32>,
    /// The logsumexp of each row, to subtract for log-probabilities.
    pub(crate) log_sums: Vec<f32>,
}

/// An autoregressive decoder with a KV cache.
pub(crate) trait NextLogits {
    /// The logits after `step`, in a buffer that the next step reuses.
    fn next_logits(&mut self, step: &Step) -> Result<&mut Logits>;
}

#[derive(Debug)]
enum Search {
    Greedy(Greedy),
    Beam(BeamSearch),
}

impl Search {
    fn new(config: &GenerationConfig, max_len: usize) -> Self {
        if config.num_beams == 1 {
            Self::Greedy(Greedy::new(
                config.decoder_start_token_id,
                config.eos_token_id,
                max_len,
            ))
        } else {
            Self::Beam(BeamSearch::new(config, max_len))
        }
    }

    /// `None` if the scores of a row are not finite.
    fn advance(&mut self, mut rows: Vec<Row<'_>>, rules: &Rules<'_>) -> Option<Next> {
        if !rows.iter().all(|row| row.log_sum.is_finite()) {
            return None;
        }
        match self {
            Self::Greedy(search) => rows.first_mut().map(|row| search.advance(row, rules)),
            Self::Beam(search) => Some(search.advance(&mut rows, rules)),
        }
    }

    fn best(&self) -> &Hypothesis {
        match self {
            Self::Greedy(search) => search.hypothesis(),
            Self::Beam(search) => search.best(),
        }
    }
}

/// Searches an answer for each of `batch` images.
///
/// `positions` is the number of positions that the decoder has, and bounds
/// `max_new_tokens`; `locations` are the ids of the location tokens.
pub(crate) fn run(
    model: &mut dyn NextLogits,
    batch: usize,
    (vocab, positions): (usize, usize),
    locations: Option<RangeInclusive<u32>>,
    config: &GenerationConfig,
) -> Result<Vec<(Hypothesis, FinishReason)>> {
    config.validate(vocab)?;
    let max_len = 1 + config.max_new_tokens.min(positions);
    let rules = Rules::new(config, locations, max_len);
    let beams = config.num_beams;
    let mut searches = (0..batch)
        .map(|_| Search::new(config, max_len))
        .collect::<Vec<_>>();
    let mut left = (0..batch).collect::<Vec<_>>();
    let rows = (batch * beams) as u32;
    let mut step = Step {
        images: (0..batch as u32).collect(),
        parents: (0..rows).collect(),
        tokens: vec![config.decoder_start_token_id; rows as usize],
    };
    let mut steps = 0;
    while !left.is_empty() {
        let Logits { values, log_sums } = model.next_logits(&step)?;
        step = Step {
            images: Vec::new(),
            parents: Vec::new(),
            tokens: Vec::new(),
        };
        steps += 1;
        let mut still = Vec::with_capacity(left.len());
        for (slot, ((&image, values), log_sums)) in left
            .iter()
            .zip(values.chunks_exact_mut(beams * vocab))
            .zip(log_sums.chunks_exact(beams))
            .enumerate()
        {
            let rows = values.chunks_exact_mut(vocab).zip(log_sums);
            let rows = rows.map(|(scores, &log_sum)| Row { scores, log_sum });
            let next = searches[image]
                .advance(rows.collect(), &rules)
                .ok_or(Error::NonFinite { image, step: steps })?;
            if let Next::Rows(rows) = next {
                still.push(image);
                step.images.push(slot as u32);
                for (parent, token) in rows {
                    step.parents.push((slot * beams + parent) as u32);
                    step.tokens.push(token);
                }
            }
        }
        left = still;
    }
    let finish = |h: &Hypothesis| {
        let cut = h.token_ids.len() >= max_len;
        let forced = cut && config.forced_eos_token_id.is_some();
        if h.token_ids.last() == Some(&config.eos_token_id) && !forced {
            FinishReason::EndOfSequence
        } else {
            FinishReason::MaxNewTokens
        }
    };
    Ok(searches
        .iter()
        .map(|search| (search.best().clone(), finish(search.best())))
        .collect())
}
