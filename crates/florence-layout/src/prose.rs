//! Joins lines to running text, and hyphenated words.

use std::collections::HashSet;

/// How lines are joined.
#[derive(Debug)]
pub(super) struct Joining {
    /// Whether words hyphenated at line ends are joined.
    pub(super) mend: bool,
    /// Words with a hyphen inside of lines, in lowercase.
    pub(super) hyphenated: HashSet<String>,
}

impl Default for Joining {
    fn default() -> Self {
        Self {
            mend: true,
            hyphenated: HashSet::new(),
        }
    }
}

/// Joins lines with spaces, or without where a word is hyphenated or the script has no spaces.
pub(super) fn join(lines: impl Iterator<Item = String>, joining: &Joining) -> String {
    let mut text = String::new();
    for line in lines.filter(|line| !line.is_empty()) {
        match divided(&text, &line).filter(|_| joining.mend) {
            Some(hyphen) if keeps_hyphen(&text, &line, hyphen, joining) => {}
            Some(hyphen) => text.truncate(text.len() - hyphen.len_utf8()),
            None if wants_space(&text, &line) => text.push(' '),
            None => {}
        }
        text.push_str(&line);
    }
    text
}

/// Words with a hyphen inside, in lowercase.
pub(super) fn hyphenated<'a>(lines: impl Iterator<Item = &'a str>) -> HashSet<String> {
    let words = lines.flat_map(str::split_whitespace).map(bare);
    words
        .filter(|word| word.contains('-'))
        .map(str::to_lowercase)
        .collect()
}

/// Whether a space belongs between a text and what follows: not at its start, and not between
/// characters of scripts that write without.
pub(super) fn wants_space(before: &str, behind: &str) -> bool {
    match (before.chars().next_back(), behind.chars().next()) {
        (Some(last), Some(first)) => !(is_unspaced(last) && is_unspaced(first)),
        _ => false,
    }
}

/// Chinese characters, kana, and their punctuation.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// The hyphen that a text ends with, where the first word of the next line goes on with its last.
fn divided(text: &str, next: &str) -> Option<char> {
    let hyphen = text
        .chars()
        .next_back()
        .filter(|last| matches!(last, '-' | '\u{ad}' | '\u{2010}' | '¬'))?;
    let letter_before = text.chars().rev().nth(1)?.is_alphanumeric();
    (letter_before && next.chars().next()?.is_alphanumeric()).then_some(hyphen)
}

/// Whether a hyphen belongs to the word: before a capital or a digit, or where the page has that
/// word with a hyphen elsewhere.
fn keeps_hyphen(text: &str, next: &str, hyphen: char, joining: &Joining) -> bool {
    if matches!(hyphen, '\u{ad}' | '¬') {
        return false;
    }
    let goes_on = next.chars().next().is_some_and(char::is_lowercase);
    let head = text.split_whitespace().next_back().unwrap_or_default();
    let digit = head.chars().rev().nth(1).is_some_and(char::is_numeric);
    let tail = next.split_whitespace().next().unwrap_or_default();
    let word = format!("{head}{tail}").replace('\u{2010}', "-");
    !goes_on || digit || joining.hyphenated.contains(&bare(&word).to_lowercase())
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&str], joining: &Joining) -> String {
        join(lines.iter().map(|line| (*line).to_owned()), joining)
    }

    #[test]
    fn divided_words_are_mended_where_they_were_divided() {
        let mend = Joining::default();
        for (lines, text) in [
            (["an impor-", "tant one"], "an important one"),
            (["soft\u{ad}", "ware"], "software"),
            (["Jean-", "Paul"], "Jean-Paul"),
            (["from 10-", "15 June"], "from 10-15 June"),
            (["the 3-", "pack"], "the 3-pack"),
            (["this -", "or that"], "this - or that"),
            (["a word", ""], "a word"),
            (["漢字", "かな"], "漢字かな"),
            (["the end", "漢字"], "the end 漢字"),
        ] {
            assert_eq!(joined(&lines, &mend), text);
        }
    }

    #[test]
    fn a_word_that_has_its_hyphen_elsewhere_keeps_it() {
        let hyphenated = hyphenated(["A well-known fact.", "- and"].into_iter());
        let joining = Joining {
            mend: true,
            hyphenated,
        };
        assert_eq!(
            joined(&["is well-", "known to"], &joining),
            "is well-known to"
        );
        assert_eq!(joined(&["is un-", "known to"], &joining), "is unknown to");
    }

    #[test]
    fn mending_can_be_left_out() {
        let joining = Joining {
            mend: false,
            ..Joining::default()
        };
        assert_eq!(joined(&["impor-", "tant"], &joining), "impor- tant");
    }
}
