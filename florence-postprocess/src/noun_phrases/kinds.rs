//! What kind of word a word is.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lists::{NO_THINGS, WORDS};

/// The part that a word can play in a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a phrase: *the*.
    Determiner,
    /// Says that something is not there: *no*, *without*.
    Negation,
    /// *two*, *12*
    Numeral,
    /// *very*, *brightly*
    Adverb,
    /// A listed adjective: the only ones that *and* and commas join.
    Adjective,
    /// A place in the image or in a thing: *upper*, *left*.
    Place,
    /// *smiling*, *wearing*
    Active,
    /// *parked*, *painted*
    Passive,
    /// What no phrase has: prepositions, verbs, pronouns, conjunctions.
    Function,
    /// Punctuation, and what stands in quotation marks.
    Mark,
    /// A noun, or an adjective that is not listed.
    Other,
}

impl Kind {
    /// Whether it says what a thing is or is like.
    pub(super) fn is_content(self) -> bool {
        matches!(
            self,
            Self::Adjective | Self::Active | Self::Passive | Self::Other
        )
    }
}

static KINDS: LazyLock<HashMap<&str, Kind>> = LazyLock::new(|| {
    let lists = WORDS.iter();
    let words = lists.flat_map(|(kind, words)| words.split(' ').map(|word| (word, *kind)));
    words.collect()
});

/// The kind of a word in small letters.
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

/// Whether a head says nothing that one could point at.
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
