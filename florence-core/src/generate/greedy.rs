//! Greedy decoding: the best token at every step.

use super::rules::Rules;
use super::scores::{Row, top_k};
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

    /// Rules are applied to logits, as in the reference; what is reported is the model's own
    /// log-probability, and 0 for a token that the rules forced.
    pub(crate) fn advance(&mut self, row: &mut Row<'_>, rules: &Rules<'_>) -> Next {
        let forced = rules.forced(&self.hypothesis.token_ids).is_some();
        let own = rules.changes_all().then(|| row.scores.to_vec());
        rules.apply(&self.hypothesis.token_ids, row.scores);
        let best = top_k(std::iter::once((&*row, 0.0)), 1);
        let token = best.first().map_or(0, |best| best.token);
        let logprob = match own {
            _ if forced => 0.0,
            Some(own) => own[token as usize] - row.log_sum,
            None => row.scores[token as usize] - row.log_sum,
        };
        self.hypothesis = self.hypothesis.extended(token, logprob);
        self.hypothesis.score += logprob;
        let done = token == self.eos || self.hypothesis.token_ids.len() >= self.max_len;
        if done {
            Next::Done
        } else {
            Next::Rows(vec![(0, token)])
        }
    }
}
