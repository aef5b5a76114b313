//! Candidate noun phrases.

use std::ops::Range;

use super::lists::Kind;
use super::words::Word;

/// Maximum number of adjectives, commas and *and* before a noun that are searched.
const LONGEST_ROW: usize = 8;

/// Runs of words that may be noun phrases: each is one of `words[range]`, not empty.
pub(super) fn chunks(words: &[Word<'_>]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let mut chunk = Chunk {
            words,
            start,
            end: start,
            content_end: None,
            has_noun: false,
        };
        while chunk.goes_on() {
            chunk.extend();
        }
        start = chunk.end.max(start + 1);
        // Trailing words that need another one after them are dropped.
        let end = chunk.content_end.unwrap_or(chunk.end);
        if chunk.start < end {
            chunks.push(chunk.start..end);
        }
    }
    chunks
}

/// A chunk being extended.
struct Chunk<'a, 'w> {
    words: &'a [Word<'w>],
    start: usize,
    end: usize,
    /// End of its last content word.
    content_end: Option<usize>,
    has_noun: bool,
}

impl Chunk<'_, '_> {
    /// Whether the next word belongs to it.
    fn goes_on(&self) -> bool {
        let Some(next) = self.words.get(self.end) else {
            return false;
        };
        match next.kind {
            Kind::Adjective | Kind::Other => true,
            // "all the", "no"
            Kind::Determiner | Kind::Negation => {
                self.last().is_none_or(|last| last.kind == Kind::Determiner)
            }
            Kind::Numeral | Kind::Adverb | Kind::Place => self.content_end.is_none(),
            // "a smiling woman", but not "a man wearing glasses"
            Kind::Active => !self.has_noun && self.noun_follows(),
            // "a red striped awning", but not "a car parked in front"
            Kind::Passive => self.noun_follows(),
            // "a small, red car", "black and white dogs"
            Kind::Mark | Kind::Function => {
                next.is_list() && !self.has_noun && self.adjectives_follow()
            }
        }
    }

    fn extend(&mut self) {
        let kind = self.words[self.end].kind;
        self.end += 1;
        if kind.is_content() {
            self.content_end = Some(self.end);
        }
        self.has_noun |= kind == Kind::Other;
    }

    fn last(&self) -> Option<&Word<'_>> {
        self.words[self.start..self.end].last()
    }

    /// Whether the next word stands within the chunk, before an adjective or a noun.
    fn noun_follows(&self) -> bool {
        let behind = self.words.get(self.end + 1);
        self.end > self.start
            && behind.is_some_and(|word| matches!(word.kind, Kind::Adjective | Kind::Other))
    }

    /// Whether the next word stands between adjectives that lead to a noun.
    fn adjectives_follow(&self) -> bool {
        let mut behind = self.words[self.end + 1..].iter().take(LONGEST_ROW);
        let is_adjective = |word: &Word<'_>| word.kind == Kind::Adjective;
        self.last().is_some_and(is_adjective)
            && self.words.get(self.end + 1).is_some_and(is_adjective)
            && behind
                .find(|word| !is_adjective(word) && !word.is_list())
                .is_some_and(|word| word.kind == Kind::Other)
    }
}
