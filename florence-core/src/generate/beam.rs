//! Beam search with the semantics of `transformers` 5 (`_beam_search` in
//! `generation/utils.py`), in the same `f32` arithmetic.

use super::config::GenerationConfig;
use super::rules::Rules;
use super::scores::{Candidate, Row, top_k};
use super::{Hypothesis, Next};
use crate::config::EarlyStopping;

/// The reference's minus infinity: it is added, not assigned, so that impossible hypotheses keep
/// their order.
const IMPOSSIBLE: f32 = -1e9;

#[derive(Debug)]
pub(crate) struct BeamSearch {
    num_beams: usize,
    early_stopping: EarlyStopping,
    length_penalty: f32,
    eos: u32,
    max_len: usize,
    /// Sums of log-probabilities, best first.
    running: Vec<Hypothesis>,
    /// Sums divided by the length penalty, best first.
    finished: Vec<Finished>,
    /// Whether a running beam may still improve the finished ones.
    open: bool,
}

#[derive(Debug, Clone)]
struct Finished {
    hypothesis: Hypothesis,
    complete: bool,
}

impl BeamSearch {
    pub(crate) fn new(config: &GenerationConfig, max_len: usize) -> Self {
        let start = Hypothesis::new(config.decoder_start_token_id);
        // Only the first beam counts at first: the others are copies of it.
        let score = |beam| if beam == 0 { 0.0 } else { IMPOSSIBLE };
        let running = (0..config.num_beams).map(|beam| Hypothesis {
            score: score(beam),
            ..start.clone()
        });
        let empty = Finished {
            hypothesis: Hypothesis {
                score: IMPOSSIBLE,
                ..start.clone()
            },
            complete: false,
        };
        Self {
            num_beams: config.num_beams,
            early_stopping: config.early_stopping,
            length_penalty: config.length_penalty,
            eos: config.eos_token_id,
            max_len,
            running: running.collect(),
            finished: vec![empty; config.num_beams],
            open: true,
        }
    }

    pub(crate) fn best(&self) -> &Hypothesis {
        &self.finished[0].hypothesis
    }

    /// `rows` are the logits of the running beams.
    pub(crate) fn advance(&mut self, rows: &mut [Row<'_>], rules: &Rules<'_>) -> Next {
        let candidates = self.candidates(rows, rules);
        let len = self.running[0].token_ids.len() + 1;
        let extended = candidates
            .into_iter()
            .map(|Candidate { row, token, score }| {
                let logprob = rows[row].log_probability(token);
                let hypothesis = Hypothesis {
                    score,
                    ..self.running[row].extended(token, logprob)
                };
                let ends = len >= self.max_len || token == self.eos;
                (row, ends, hypothesis)
            })
            .collect::<Vec<_>>();
        let all_end = extended.iter().all(|&(_, ends, _)| ends);

        self.collect_finished(&extended, len);

        let mut next = extended
            .into_iter()
            .map(|(beam, ends, mut hypothesis)| {
                hypothesis.score += if ends { IMPOSSIBLE } else { 0.0 };
                (beam, hypothesis)
            })
            .collect::<Vec<_>>();
        next.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        next.truncate(self.num_beams);
        let rows = next
            .iter()
            .map(|(beam, hypothesis)| (*beam, hypothesis.token_ids[len - 1]))
            .collect();
        self.running = next.into_iter().map(|(_, hypothesis)| hypothesis).collect();

        self.open = self.open && self.may_improve(len);
        if self.is_closed() || all_end {
            Next::Done
        } else {
            Next::Rows(rows)
        }
    }

    /// The best continuations by their accumulated scores, best first.
    fn candidates(&self, rows: &mut [Row<'_>], rules: &Rules<'_>) -> Vec<Candidate> {
        for (row, beam) in rows.iter_mut().zip(&self.running) {
            // Rules are applied to log-probabilities, as in the reference. Those that only forbid
            // tokens need not wait for a pass over all of them.
            if rules.changes_all() || rules.forced(&beam.token_ids).is_some() {
                row.normalize();
            }
            rules.apply(&beam.token_ids, row.scores);
        }
        let offsets = self.running.iter().map(|beam| beam.score);
        // Twice as many as there are beams: each beam has one way to end.
        let keep = 2 * self.num_beams;
        top_k(rows.iter().zip(offsets), keep)
    }

    /// Only the best `num_beams` candidates may finish: the others are there to
    /// keep enough beams running.
    fn collect_finished(&mut self, extended: &[(usize, bool, Hypothesis)], len: usize) {
        let closed = self.is_closed();
        let penalty = self.penalty(len - 1);
        for (rank, (_, ends, hypothesis)) in extended.iter().enumerate() {
            let complete = *ends && rank < self.num_beams;
            let mut score = hypothesis.score / penalty;
            if closed {
                score += IMPOSSIBLE;
            }
            if !complete {
                score += IMPOSSIBLE;
            }
            self.finished.push(Finished {
                hypothesis: Hypothesis {
                    score,
                    ..hypothesis.clone()
                },
                complete,
            });
        }
        self.finished
            .sort_by(|a, b| b.hypothesis.score.total_cmp(&a.hypothesis.score));
        self.finished.truncate(self.num_beams);
    }

    /// Whether the best running beam may still beat the worst finished one;
    /// `len` counts the start token.
    fn may_improve(&self, len: usize) -> bool {
        let reach = if self.early_stopping == EarlyStopping::Never && self.length_penalty > 0.0 {
            self.max_len - 1
        } else {
            len - 1
        };
        let best = self.running[0].score / self.penalty(reach);
        let worst = self
            .finished
            .iter()
            .map(|f| f.hypothesis.score)
            .fold(f32::INFINITY, f32::min);
        self.finished
            .iter()
            .any(|f| best > if f.complete { worst } else { IMPOSSIBLE })
    }

    /// Whether the finished hypotheses are final.
    fn is_closed(&self) -> bool {
        let full = || self.finished.iter().all(|f| f.complete);
        !self.open || (self.early_stopping == EarlyStopping::True && full())
    }

    fn penalty(&self, generated: usize) -> f32 {
        (generated as f64).powf(f64::from(self.length_penalty)) as f32
    }
}
