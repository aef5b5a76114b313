//! The rules of a generation, in the reference's order.

use std::ops::RangeInclusive;

use super::config::GenerationConfig;

/// The reference's rules in the reference's order, then the caller's.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    config: &'a GenerationConfig,
    locations: Option<RangeInclusive<u32>>,
    max_len: usize,
}

impl<'a> Rules<'a> {
    /// `locations` are the ids of the location tokens; `max_len` counts the
    /// start token.
    pub(crate) fn new(
        config: &'a GenerationConfig,
        locations: Option<RangeInclusive<u32>>,
        max_len: usize,
    ) -> Self {
        let locations = locations.filter(|_| config.no_repeat_exempts_locations);
        Self {
            config,
            locations,
            max_len,
        }
    }

    /// The forced next token, if any: the one at the limit takes precedence over the first one.
    pub(crate) fn forced(&self, token_ids: &[u32]) -> Option<u32> {
        let last = token_ids.len() + 1 == self.max_len;
        let first = token_ids.len() == 1;
        let eos = self.config.forced_eos_token_id.filter(|_| last);
        eos.or(self.config.forced_bos_token_id.filter(|_| first))
    }

    /// Whether there are rules that may change any score, not just forbid.
    pub(crate) fn changes_all(&self) -> bool {
        !self.config.logits_processors.is_empty()
    }

    pub(crate) fn apply(&self, token_ids: &[u32], scores: &mut [f32]) {
        let size = self.config.no_repeat_ngram_size;
        if size > 0 {
            forbid_repeats(token_ids, size, self.locations.as_ref(), scores);
        }
        if let Some(token) = self.forced(token_ids) {
            force(token, scores);
        }
        for processor in &self.config.logits_processors {
            processor.process(token_ids, scores);
        }
    }
}

/// Leaves `token` as the only choice, at probability 1.
fn force(token: u32, scores: &mut [f32]) {
    scores.fill(f32::NEG_INFINITY);
    scores[token as usize] = 0.0;
}

/// Forbids every token that would repeat an n-gram of `size` tokens, except those in `exempt`.
fn forbid_repeats(
    token_ids: &[u32],
    size: usize,
    exempt: Option<&RangeInclusive<u32>>,
    scores: &mut [f32],
) {
    if token_ids.len() + 1 < size {
        return;
    }
    let tail = &token_ids[token_ids.len() + 1 - size..];
    for run in token_ids.windows(size) {
        let Some((&last, start)) = run.split_last() else {
            continue;
        };
        if start == tail && !exempt.is_some_and(|range| range.contains(&last)) {
            scores[last as usize] = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: f32 = f32::NEG_INFINITY;

    #[test]
    fn a_third_token_is_forbidden_after_a_repeated_pair() {
        let mut scores = [0.0; 5];
        forbid_repeats(&[2, 0, 3, 4, 0, 3], 3, None, &mut scores);
        assert_eq!(scores, [0.0, 0.0, 0.0, 0.0, NO]);
    }

    #[test]
    fn size_one_forbids_every_earlier_token() {
        let mut scores = [0.0; 4];
        forbid_repeats(&[2, 0], 1, None, &mut scores);
        assert_eq!(scores, [NO, 0.0, NO, 0.0]);
    }

    #[test]
    fn a_prefix_shorter_than_the_run_forbids_nothing() {
        let mut scores = [0.0; 3];
        forbid_repeats(&[2], 3, None, &mut scores);
        assert_eq!(scores, [0.0; 3]);
    }

    #[test]
    fn exempt_tokens_may_repeat() {
        let mut scores = [0.0; 6];
        forbid_repeats(&[3, 4, 5, 3, 4], 3, Some(&(5..=5)), &mut scores);
        assert_eq!(scores, [0.0; 6]);
    }

    #[test]
    fn forced_tokens_are_forced_first_and_last() {
        let config = GenerationConfig::default();
        let rules = Rules::new(&config, None, 4);
        let mut scores = [1.0, 2.0, 3.0];
        rules.apply(&[2], &mut scores);
        assert_eq!(scores, [0.0, NO, NO]);
        let mut scores = [1.0, 2.0, 3.0];
        rules.apply(&[2, 0], &mut scores);
        assert_eq!(scores, [1.0, 2.0, 3.0]);
        rules.apply(&[2, 0, 1], &mut scores);
        assert_eq!(scores, [NO, NO, 0.0]);
    }
}
