//! Escapes untrusted text for terminals.

use std::borrow::Cow;

/// A text in one line: control characters, line separators and bidirectional overrides become
/// escapes such as `\n` and `\u{1b}`.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// The same, keeping line breaks and tabs.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, wanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&wanted) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if wanted(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_escapes_and_everything_else_stays() {
        assert_eq!(
            one_line("café \u{1f600} a\\b \"c\""),
            "café \u{1f600} a\\b \"c\""
        );
        assert_eq!(
            one_line("a\nb\x1b[2Jc\u{9b}d\r\0"),
            r"a\nb\u{1b}[2Jc\u{9b}d\r\u{0}"
        );
        assert_eq!(one_line("abc\u{202e}gnp"), r"abc\u{202e}gnp");
        assert_eq!(lines("a\n\tb\x07"), "a\n\tb\\u{7}");
    }
}
