//! Greedy decoding: the best token at every step.

use super::rules::Rules;
use super::scores::{log_softmax, top_k};
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
        let token = top_k(std::iter::once((&*logits, 0.0)), 1)
            .first()
            .map_or(0, |best| best.token);
        let forced = rules.forced(&self.hypothesis.token_ids).is_some();
        let logprob = if forced { 0.0 } else { own[token as usize] };
        self.hypothesis = self.hypothesis.extended(token, logprob);
        self.hypothesis.score += logprob;
        let done = token == self.eos || self.hypothesis.token_ids.len() >= self.max_len;
        Some(if done {
            Next::Done
        } else {
            Next::Rows(vec![(0, token)])
        })
    }
}
