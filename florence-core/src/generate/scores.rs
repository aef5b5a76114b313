//! The scores of the next token, and the best of several rows.

/// One row of scores, from logits to log-probabilities.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) scores: &'a mut [f32],
    /// The logsumexp that is still to be subtracted from every score.
    pub(crate) log_sum: f32,
}

impl Row<'_> {
    /// Subtracts the logsumexp, once.
    pub(crate) fn normalize(&mut self) {
        self.scores.iter_mut().for_each(|v| *v -= self.log_sum);
        self.log_sum = 0.0;
    }

    pub(crate) fn log_probability(&self, token: u32) -> f32 {
        self.scores[token as usize] - self.log_sum
    }
}

/// A token of one of several rows, and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) row: usize,
    pub(crate) token: u32,
    pub(crate) score: f32,
}

/// The `k` best tokens over `rows` by log-probability plus the offset of their row, best first; on
/// equal sums the earlier row and the lower token id come first.
pub(crate) fn top_k<'a, 'b: 'a>(
    rows: impl Iterator<Item = (&'a Row<'b>, f32)>,
    k: usize,
) -> Vec<Candidate> {
    /// Scores per chunk. A chunk is scanned only if its maximum is good enough: rounding keeps the
    /// order, so no other has a higher sum.
    const CHUNK: usize = 256;
    let mut best: Vec<Candidate> = Vec::with_capacity(k + 1);
    for (row, (scores, offset)) in rows.enumerate() {
        let sum = |score: f32| score - scores.log_sum + offset;
        for (index, chunk) in scores.scores.chunks(CHUNK).enumerate() {
            let beaten = |best: &[Candidate], score| {
                best.len() == k && best.last().is_some_and(|last| score <= last.score)
            };
            if beaten(&best, sum(largest(chunk))) {
                continue;
            }
            for (at, &score) in chunk.iter().enumerate() {
                let score = sum(score);
                if beaten(&best, score) {
                    continue;
                }
                let candidate = Candidate {
                    row,
                    token: (index * CHUNK + at) as u32,
                    score,
                };
                best.insert(
                    best.partition_point(|other| other.score >= score),
                    candidate,
                );
                best.truncate(k);
            }
        }
    }
    best
}

/// The maximum score; independent lanes let the compiler use vectors.
fn largest(scores: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = scores.as_chunks::<16>();
    for chunk in chunks {
        for (lane, &score) in lanes.iter_mut().zip(chunk) {
            *lane = if score > *lane { score } else { *lane };
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(rows: &mut [(Vec<f32>, f32, f32)], k: usize) -> Vec<Candidate> {
        let rows = rows.iter_mut().map(|(scores, log_sum, offset)| {
            (
                Row {
                    scores,
                    log_sum: *log_sum,
                },
                *offset,
            )
        });
        let rows = rows.collect::<Vec<_>>();
        top_k(rows.iter().map(|(row, offset)| (row, *offset)), k)
    }

    #[test]
    fn the_best_come_first_and_ties_keep_their_order() {
        let mut rows = [
            (vec![1.0, 5.0, 3.0], 0.0, 0.0),
            (vec![5.0, 4.0, f32::NEG_INFINITY], 0.0, 0.0),
        ];
        let best = best(&mut rows, 4)
            .iter()
            .map(|c| (c.row, c.token))
            .collect::<Vec<_>>();
        assert_eq!(best, [(0, 1), (1, 0), (1, 1), (0, 2)]);
    }

    #[test]
    fn skipping_chunks_changes_nothing() {
        // Few different values, so that there are many ties.
        let score = |i: usize| ((i * 7919 + i / 300) % 41) as f32 / 8.0;
        let mut rows = [
            ((0..1000).map(score).collect::<Vec<_>>(), 1.25, 0.5),
            ((3..700).map(score).collect::<Vec<_>>(), 0.75, 0.125),
        ];
        let mut all = Vec::new();
        for (row, (scores, log_sum, offset)) in rows.iter().enumerate() {
            let scored = scores.iter().enumerate();
            all.extend(scored.map(|(token, v)| Candidate {
                row,
                token: token as u32,
                score: v - log_sum + offset,
            }));
        }
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        for k in [1, 6, 50] {
            assert_eq!(best(&mut rows, k), all[..k]);
        }
    }

    #[test]
    fn normalized_scores_are_the_log_probabilities() {
        let mut scores = [1.0, 2.0];
        let mut row = Row {
            scores: &mut scores,
            log_sum: 0.5,
        };
        let before = row.log_probability(1);
        row.normalize();
        assert_eq!((before, row.log_probability(1)), (1.5, 1.5));
    }
}
