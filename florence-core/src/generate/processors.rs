//! Logits processors.

use std::fmt::Debug;

/// A rule on the next token: changes the scores of all tokens, given the tokens so far.
///
/// Scores are log-probabilities under beam search and logits under greedy
/// decoding, as in the reference. Set a score to [`f32::NEG_INFINITY`] to forbid
/// a token.
///
/// # Example: answers in capitals only need no `a`
///
/// ```
/// use florence_core::LogitsProcessor;
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
/// let mut scores = [0.5, 1.5];
/// Forbid(1).process(&[2, 0], &mut scores);
/// assert_eq!(scores, [0.5, f32::NEG_INFINITY]);
/// ```
pub trait LogitsProcessor: Debug + Send + Sync {
    /// `token_ids` is the whole decoder sequence so far, from the start token; `scores` has one
    /// entry per token of the vocabulary.
    fn process(&self, token_ids: &[u32], scores: &mut [f32]);
}
