//! Singular and plural.

use super::NounPhrase;

/// Determiners of a single thing, or of specific things.
const SINGLING_OUT: [&str; 15] = [
    "a", "an", "another", "each", "every", "her", "his", "its", "my", "our", "that", "the",
    "their", "this", "your",
];

/// Whether it is a bare noun that may denote many things: a plural, or one without a singular
/// determiner ("some furniture").
pub(in super::super) fn is_collective(phrase: &NounPhrase) -> bool {
    let determiner = phrase.determiner.as_deref().unwrap_or_default();
    phrase.words.len() == 1 && (is_plural(phrase.head()) || !SINGLING_OUT.contains(&determiner))
}

const IRREGULAR: [(&str, &str); 4] = [
    ("people", "person"),
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
];

fn is_plural(noun: &str) -> bool {
    IRREGULAR.iter().any(|(plural, _)| *plural == noun)
        || noun.ends_with('s') && !noun.ends_with("ss")
}

/// A noun without its plural ending; singular and plural become the same, not always a word.
pub(in super::super) fn singular(word: &str) -> String {
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*singular).to_owned();
    }
    let stem = word.strip_suffix('s').filter(|stem| !stem.ends_with('s'));
    let stem = stem.unwrap_or(word);
    match stem.strip_suffix("ie") {
        Some(stem) if stem.len() > 1 => format!("{stem}y"),
        _ => stem.strip_suffix('e').unwrap_or(stem).to_owned(),
    }
}
