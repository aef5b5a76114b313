//! Tokenization of a caption into words and punctuation.

use std::ops::Range;

use super::kinds::kind;
use super::lists::Kind;

/// A word or a punctuation mark of a caption.
#[derive(Debug)]
pub(super) struct Word<'a> {
    text: &'a str,
    /// In lower case.
    pub(super) lower: String,
    /// Byte range in the caption.
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

impl Word<'_> {
    pub(super) fn is_comma(&self) -> bool {
        self.text == ","
    }

    /// Whether it separates the parts of a list.
    pub(super) fn is_list(&self) -> bool {
        self.is_comma() || matches!(self.lower.as_str(), "and" | "or" | "nor" | "&")
    }
}

/// The words and marks of a text. A quotation in double quotation marks is one mark.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let length = if is_quotation(first) {
            quoted(&text[at..])
        } else if first.is_alphanumeric() {
            word(&text[at..])
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            let part = &text[at..at + length];
            let lower = part.to_lowercase();
            words.push(Word {
                text: part,
                kind: if first.is_alphanumeric() {
                    kind(&lower)
                } else {
                    Kind::Mark
                },
                lower,
                range: at..at + length,
            });
        }
        at += length;
    }
    words
}

fn is_quotation(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}')
}

/// The length of a quotation, to the end of the text if it is not closed.
fn quoted(text: &str) -> usize {
    let mut marks = text.char_indices().filter(|&(_, c)| is_quotation(c));
    marks
        .nth(1)
        .map_or(text.len(), |(at, mark)| at + mark.len_utf8())
}

/// The length of a word: letters, digits and marks, with hyphens and apostrophes between them.
fn word(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '-' | '\'' | '\u{2019}')
            && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !c.is_alphanumeric() && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_hyphens_and_apostrophes() {
        let texts = |text| -> Vec<&str> { words(text).into_iter().map(|w| w.text).collect() };
        assert_eq!(
            texts("The man's T-shirt - 3 o\u{2019}clock."),
            ["The", "man's", "T-shirt", "-", "3", "o\u{2019}clock", "."]
        );
        assert_eq!(texts("a \"b c\" d \"e"), ["a", "\"b c\"", "d", "\"e"]);
        assert_eq!(texts("Größe, été"), ["Größe", ",", "été"]);
    }
}
