//! Greedy decoding: the best token at every step.

use super::rules::Rules;
use super::scores::log_softmax;
use super::{Hypothesis, Next};

#[derive(Debug)]
pub(crate) struct Greedy {
    hypothesis: Hypothesis,
    eos: u32,
    max_len: usize,
}

impl Greedy {
    pub(crate) fn new(start: u32, eos: u32, max_len: usize) -> Self {
        Self {
            hypothesis: Hypothesis::new(start),
            eos,
            max_len,
        }
    }

    pub(crate) fn hypothesis(&self) -> &Hypothesis {
        &self.hypothesis
    }

    /// `logits` is one row; `None` if it is not finite. Rules see logits, as in
    /// the reference; what is reported is the model's own log-probability, and
    /// 0 for a token that the rules forced.
    pub(crate) fn advance(&mut self, logits: &mut [f32], rules: &Rules<'_>) -> Option<Next> {
        let mut own = logits.to_vec();
        if !log_softmax(&mut own) {
            return None;
        }
        rules.apply(&self.hypothesis.token_ids, logits);
        let (token, score) =
            logits
                .iter()
                .enumerate()
                .fold((0, f32::NEG_INFINITY), |best, (token, &score)| {
                    if score > best.1 { (token, score) } else { best }
                });
        let forced = logits
            .iter()
            .filter(|v| **v > f32::NEG_INFINITY)
            .nth(1)
            .is_none()
            && score == 0.0;
        let logprob = if forced { 0.0 } else { own[token] };
        self.hypothesis = self.hypothesis.extended(token as u32, logprob);
        self.hypothesis.score += logprob;
        let done = token as u32 == self.eos || self.hypothesis.token_ids.len() >= self.max_len;
        Some(if done {
            Next::Done
        } else {
            Next::Rows(vec![(0, token as u32)])
        })
    }
}
