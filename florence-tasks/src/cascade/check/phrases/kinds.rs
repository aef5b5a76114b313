//! The kinds of words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lists::{Kind, NO_THINGS, WORDS};

static KINDS: LazyLock<HashMap<&str, Kind>> = LazyLock::new(|| {
    let lists = WORDS.iter();
    let words = lists.flat_map(|(kind, words)| words.split(' ').map(|word| (word, *kind)));
    words.collect()
});

/// The kind of a lower-case word.
pub(super) fn kind(word: &str) -> Kind {
    let is_long = word.len() > 4;
    if let Some(kind) = KINDS.get(word) {
        *kind
    } else if word.starts_with(|c: char| c.is_ascii_digit()) {
        Kind::Numeral
    } else if word.ends_with("ly") {
        Kind::Adverb
    } else if is_long && word.ends_with("ing") {
        Kind::Active
    } else if is_long && word.ends_with("ed") {
        Kind::Passive
    } else {
        Kind::Other
    }
}

/// Whether a head names no visible thing.
pub(super) fn names_no_thing(head: &str) -> bool {
    NO_THINGS.split(' ').any(|word| word == head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_listed_twice() {
        let all: Vec<&str> = WORDS
            .iter()
            .flat_map(|(_, words)| words.split(' '))
            .collect();
        assert_eq!(KINDS.len(), all.len());
        let is_plain = |word: &&str| !word.is_empty() && **word == word.to_lowercase();
        assert!(all.iter().all(is_plain) && NO_THINGS.split(' ').all(|word| is_plain(&word)));
    }
}
