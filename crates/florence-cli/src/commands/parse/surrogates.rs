//! Replaces lone surrogates in JSON: Python writes them, JSON parsers refuse them.

use std::borrow::Cow;

const REPLACEMENT: &str = "\\ufffd";

/// The JSON with U+FFFD for every `\ud800` to `\udfff` that is not half of a pair; borrowed where
/// there is none.
pub(super) fn replaced(json: &str) -> Cow<'_, str> {
    let mut whole = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(offset) = json[at..].find('\\') {
        at += offset;
        match (escape(json, at), escape(json, at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 12,
            (Some(0xd800..0xe000), _) => {
                whole.push_str(&json[copied..at]);
                whole.push_str(REPLACEMENT);
                at += REPLACEMENT.len();
                copied = at;
            }
            // What follows a backslash is escaped, be it another backslash.
            _ => at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    whole.push_str(&json[copied..]);
    Cow::Owned(whole)
}

/// The code unit of an escape such as `\ud83d` at a byte.
fn escape(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_halves_are_replaced() {
        for (json, wanted) in [
            (r#""a\ud83d\ude00b""#, r#""a\ud83d\ude00b""#),
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\uDE00\uD83Dx""#, r#""\ufffd\ufffdx""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d\n""#, r#""\\\ufffd\n""#),
            (r#""\ud83""#, r#""\ud83""#),
            (r#""\ud8+d""#, r#""\ud8+d""#),
            ("\"\\é\\", "\"\\é\\"),
        ] {
            assert_eq!(replaced(json), wanted);
            assert_eq!(matches!(replaced(json), Cow::Borrowed(_)), json == wanted);
        }
    }
}
