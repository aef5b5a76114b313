//! The noun phrases of a caption.
//!
//! Captions are plain English of few words, so rules and short word lists find their phrases: a
//! phrase is a run of words between those that cannot be part of one (prepositions, verbs,
//! pronouns, conjunctions, punctuation). An unlisted word counts as a noun or adjective.

mod chunks;
mod kinds;
mod lists;
mod number;
mod words;

use std::ops::Range;

use lists::Kind;
pub(super) use number::{is_collective, singular};
use words::Word;

/// A noun phrase of a caption: *a small red car*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NounPhrase {
    /// Byte range in the caption.
    pub(super) range: Range<usize>,
    /// The article, pronoun or other determiner that opens it, in lower case.
    pub(super) determiner: Option<String>,
    /// Its nouns and adjectives in lower case, the head last: without articles, numerals, adverbs
    /// and words for positions in the image. Never empty.
    pub(super) words: Vec<String>,
}

impl NounPhrase {
    /// Its head, the last noun, in lower case.
    pub(super) fn head(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }
}

/// The noun phrases of an English caption, in order.
///
/// Phrases that name no visible object are omitted: those about the picture itself ("the image",
/// "the background", "the left side"), measures ("a group of"), pronouns, negated ones ("no
/// people", "without a hat") and quotations.
///
/// Any text is accepted; in other languages the result is arbitrary.
pub(super) fn noun_phrases(caption: &str) -> Vec<NounPhrase> {
    let words: Vec<Word<'_>> = words::words(caption);
    let mut phrases = Vec::new();
    let mut negated = false;
    for chunk in chunks::chunks(&words) {
        let (first, last) = (&words[chunk.start], &words[chunk.end - 1]);
        let before = chunk.start.checked_sub(1).map(|before| &words[before]);
        let carried_on =
            before.is_some_and(|word| negated && matches!(word.lower.as_str(), "or" | "nor"));
        negated = carried_on
            || first.kind == Kind::Negation
            || before.is_some_and(|word| word.kind == Kind::Negation);
        let content: Vec<String> = words[chunk.clone()]
            .iter()
            .filter(|word| word.kind.is_content())
            .map(|word| word.lower.clone())
            .collect();
        let head = content.last().map(String::as_str);
        if !negated && head.is_some_and(|head| !kinds::names_no_thing(head)) {
            phrases.push(NounPhrase {
                range: first.range.start..last.range.end,
                determiner: (first.kind == Kind::Determiner).then(|| first.lower.clone()),
                words: content,
            });
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// In order, disjoint, with words; and in time that grows with the text.
    fn check(text: &str) {
        let mut end = 0;
        for phrase in noun_phrases(text) {
            assert!(phrase.range.start >= end && phrase.range.end <= text.len());
            end = phrase.range.end;
            let lower = text[phrase.range.clone()].to_lowercase();
            assert!(!phrase.words.is_empty());
            for word in &phrase.words {
                assert!(lower.contains(word), "{word} of {lower}");
            }
            assert_eq!(phrase.head(), phrase.words.last().unwrap());
        }
    }

    fn word() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "a", "the", "no", "without", "two", "very", "red", "small", "black", "and", ",", "or",
            "left", "side", "car", "dogs", "running", "parked", "of", "in", ".", "\"", "“", "'",
            "-", "3", "İ", "ﬁ", "\n",
        ]);
        prop_oneof![known.prop_map(str::to_owned), "\\PC{0,6}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn of_any_words(words in prop::collection::vec(word(), 0..30)) {
            check(&words.join(" "));
            check(&words.concat());
        }
    }

    #[test]
    fn of_long_texts() {
        for part in ["red, ", "the ", "car ", "no or ", "\"", "a running ", "x-"] {
            check(&part.repeat(200_000));
        }
    }

    fn found(caption: &str) -> Vec<&str> {
        let ranges = noun_phrases(caption).into_iter().map(|phrase| phrase.range);
        ranges.map(|range| &caption[range]).collect()
    }

    #[test]
    fn the_words_of_a_phrase_end_with_its_head() {
        let phrases = noun_phrases("Two very small RED cars on the upper left");
        assert_eq!(phrases.len(), 1);
        assert_eq!(phrases[0].words, ["small", "red", "cars"]);
        assert_eq!(phrases[0].head(), "cars");
        assert_eq!(phrases[0].range, 0..23);
    }

    #[test]
    fn participles_modify_before_a_noun_and_end_a_phrase_behind_it() {
        for (caption, phrases) in [
            (
                "A green car parked in front of a yellow building.",
                &["A green car", "a yellow building"][..],
            ),
            ("A parked car", &["A parked car"]),
            (
                "a smiling woman wearing glasses",
                &["a smiling woman", "glasses"],
            ),
            ("a green painted door", &["a green painted door"]),
            ("a red striped awning", &["a red striped awning"]),
            (
                "the building next to a painting",
                &["the building", "a painting"],
            ),
            ("a man dressed in black", &["a man", "black"]),
            ("a dog running", &["a dog"]),
            (
                "A highway filled with lots of traffic next to a river.",
                &["A highway", "traffic", "a river"],
            ),
        ] {
            assert_eq!(found(caption), phrases, "{caption}");
        }
    }

    #[test]
    fn lists_and_adjectives_in_rows() {
        for (caption, phrases) in [
            (
                "a red circle, a blue star and an orange cross with text",
                &["a red circle", "a blue star", "an orange cross", "text"][..],
            ),
            ("a small, red car", &["a small, red car"]),
            ("a black and white dog", &["a black and white dog"]),
            ("cats and dogs", &["cats", "dogs"]),
            (
                "red, green and blue balloons",
                &["red, green and blue balloons"],
            ),
            (
                "small pink heart lower right, large blue star upper left",
                &["small pink heart", "large blue star"],
            ),
        ] {
            assert_eq!(found(caption), phrases, "{caption}");
        }
    }

    #[test]
    fn phrases_without_an_object_are_omitted() {
        for (caption, phrases) in [
            ("The image shows the background on the left side.", &[][..]),
            ("They are all there, and she has it.", &[]),
            ("There is no text and no people.", &[]),
            ("a man without a hat or gloves, a dog", &["a man", "a dog"]),
            (
                "a sign that says \"Fresh fish\" above a door",
                &["a sign", "a door"],
            ),
            ("a sign that says “Fresh fish", &["a sign"]),
            (
                "a group of people with a couple of bags",
                &["people", "bags"],
            ),
            ("", &[]),
            ("...", &[]),
            ("the", &[]),
        ] {
            assert_eq!(found(caption), phrases, "{caption}");
        }
    }

    #[test]
    fn a_paragraph_as_models_write_them() {
        let caption = "The image shows a vintage Volkswagen Beetle car parked on a cobblestone \
                       street. The car is painted in a bright turquoise color and has a white \
                       stripe running along the side. Behind it there are two wooden doors, and \
                       the man's hat lies on the ground.";
        assert_eq!(
            found(caption),
            [
                "a vintage Volkswagen Beetle car",
                "a cobblestone street",
                "The car",
                "a white stripe",
                "two wooden doors",
                "the man's hat",
                "the ground"
            ]
        );
    }
}
