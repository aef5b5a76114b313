//! Bounds error messages and the client input that they quote.

use std::fmt::{self, Debug, Display, Formatter, Write};

/// Maximum characters of a message.
const MAX_MESSAGE: usize = 1_000;
/// Maximum characters of a quote.
const MAX_QUOTE: usize = 64;

/// The start of a message; formatting stops at the limit.
pub(crate) fn truncated(message: impl Display) -> String {
    let mut truncated = Truncated {
        text: String::new(),
        remaining: MAX_MESSAGE,
    };
    if write!(truncated, "{message}").is_err() {
        truncated.text.push('…');
    }
    truncated.text
}

struct Truncated {
    text: String,
    remaining: usize,
}

impl Write for Truncated {
    /// # Errors
    ///
    /// When the limit is reached.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.remaining = self.remaining.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// The start of a text, in quotation marks.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_QUOTE) {
            None => Debug::fmt(self.0, f),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_quotes_are_bounded() {
        assert_eq!(truncated("short"), "short");
        assert_eq!(
            truncated("ж".repeat(MAX_MESSAGE)).chars().count(),
            MAX_MESSAGE
        );
        let long = truncated("ж".repeat(MAX_MESSAGE + 1));
        assert_eq!(long.chars().count(), MAX_MESSAGE + 1);
        assert!(long.ends_with("ж…"));
        assert_eq!(Quoted("a\"b").to_string(), r#""a\"b""#);
        let quoted = Quoted(&"ж".repeat(MAX_QUOTE + 1)).to_string();
        assert_eq!(quoted, format!("\"{}\"…", "ж".repeat(MAX_QUOTE)));
    }
}
