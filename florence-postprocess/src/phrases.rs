//! Phrases that the reference post-processors drop from grounding answers.

/// The 72 phrases that both reference post-processors drop from a grounding answer, in byte
/// order.
///
/// The list of Microsoft's `processing_florence2.py`, without its repetitions. The
/// comparison is case-sensitive, after surrounding whitespace is removed.
///
/// # Example
///
/// ```
/// use florence_postprocess::SKIPPED_PHRASES;
///
/// assert_eq!(SKIPPED_PHRASES.len(), 72);
/// assert!(SKIPPED_PHRASES.contains(&"the image"));
/// ```
pub const SKIPPED_PHRASES: &[&str] = &[
    "I",
    "a",
    "a group",
    "a set",
    "all",
    "an",
    "another",
    "any",
    "anybody",
    "anyone",
    "anything",
    "each",
    "each other",
    "everybody",
    "everyone",
    "everything",
    "few",
    "he",
    "her",
    "hers",
    "herself",
    "him",
    "himself",
    "his",
    "image",
    "images",
    "it",
    "its",
    "itself",
    "lots",
    "many",
    "me",
    "mine",
    "myself",
    "nobody",
    "none",
    "one",
    "one another",
    "oneself",
    "other objects",
    "our",
    "ours",
    "ourselves",
    "several",
    "she",
    "some",
    "somebody",
    "someone",
    "something",
    "that",
    "the",
    "the image",
    "their",
    "theirs",
    "them",
    "themselves",
    "these",
    "they",
    "this",
    "those",
    "us",
    "we",
    "what",
    "which",
    "who",
    "whom",
    "whose",
    "you",
    "your",
    "yours",
    "yourself",
    "yourselves",
];

/// Whether the reference post-processors drop this phrase of a grounding answer.
///
/// # Example
///
/// ```
/// use florence_postprocess::is_skipped_phrase;
///
/// assert!(is_skipped_phrase("they"));
/// assert!(!is_skipped_phrase("They"));
/// assert!(!is_skipped_phrase("a dog"));
/// ```
pub fn is_skipped_phrase(phrase: &str) -> bool {
    SKIPPED_PHRASES.binary_search(&phrase).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_without_repetitions() {
        assert!(SKIPPED_PHRASES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            SKIPPED_PHRASES
                .iter()
                .all(|phrase| is_skipped_phrase(phrase))
        );
    }
}
