//! Passes over the scores of all tokens.

/// Turns logits into log-probabilities, in place. `false` if the row has a NaN
/// or no finite value.
pub(crate) fn log_softmax(logits: &mut [f32]) -> bool {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = logits.iter().map(|&v| (v - max).exp()).sum::<f32>();
    let norm = max + sum.ln();
    logits.iter_mut().for_each(|v| *v -= norm);
    norm.is_finite()
}

/// A token of one of several rows, and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) row: usize,
    pub(crate) token: u32,
    pub(crate) score: f32,
}

/// The `k` best tokens over `rows`, best first, where a row is its scores and
/// what is added to each of them; on equal sums the earlier row and the lower
/// token id come first.
pub(crate) fn top_k<'a>(rows: impl Iterator<Item = (&'a [f32], f32)>, k: usize) -> Vec<Candidate> {
    let mut best: Vec<Candidate> = Vec::with_capacity(k + 1);
    for (row, (scores, offset)) in rows.enumerate() {
        for (token, &score) in scores.iter().enumerate() {
            let score = score + offset;
            let full = best.len() == k;
            if full && best.last().is_some_and(|last| score <= last.score) {
                continue;
            }
            let at = best.partition_point(|other| other.score >= score);
            best.insert(
                at,
                Candidate {
                    row,
                    token: token as u32,
                    score,
                },
            );
            best.truncate(k);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_sum_to_one() {
        let mut row = [1.0, 2.0, -300.0, 88.0];
        assert!(log_softmax(&mut row));
        let sum = row.iter().map(|v| v.exp()).sum::<f32>();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn nan_and_infinity_are_told() {
        assert!(!log_softmax(&mut [0.0, f32::NAN]));
        assert!(!log_softmax(&mut [0.0, f32::INFINITY]));
        assert!(!log_softmax(&mut [f32::NEG_INFINITY; 2]));
    }

    #[test]
    fn the_best_come_first_and_ties_keep_their_order() {
        let rows: [&[f32]; 2] = [&[1.0, 5.0, 3.0], &[5.0, 4.0, f32::NEG_INFINITY]];
        let best = top_k(rows.into_iter().map(|row| (row, 0.0)), 4)
            .iter()
            .map(|c| (c.row, c.token))
            .collect::<Vec<_>>();
        assert_eq!(best, [(0, 1), (1, 0), (1, 1), (0, 2)]);
    }
}
