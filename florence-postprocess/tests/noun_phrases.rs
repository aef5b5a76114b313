//! Noun phrases of any text: in order, apart, with words; and in a time that grows with the text.

use florence_postprocess::noun_phrases;
use proptest::prelude::*;

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
        "left", "side", "car", "dogs", "running", "parked", "of", "in", ".", "\"", "“", "'", "-",
        "3", "İ", "ﬁ", "\n",
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
