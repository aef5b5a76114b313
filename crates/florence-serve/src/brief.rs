//! What clients sent, within messages: messages stay short whatever that was.

use std::fmt::{self, Debug, Display, Formatter, Write};

/// Characters of a message.
const MESSAGE: usize = 1_000;
/// Characters of a quotation.
const QUOTATION: usize = 64;

/// The beginning of a message, which is not formatted beyond it.
pub(crate) fn brief(message: impl Display) -> String {
    let mut beginning = Beginning {
        text: String::new(),
        room: MESSAGE,
    };
    if write!(beginning, "{message}").is_err() {
        beginning.text.push('…');
    }
    beginning.text
}

struct Beginning {
    text: String,
    room: usize,
}

impl Write for Beginning {
    /// # Errors
    ///
    /// When there is no room left.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// The beginning of a text, in quotation marks.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(QUOTATION) {
            None => Debug::fmt(self.0, f),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_quotations_end() {
        assert_eq!(brief("short"), "short");
        assert_eq!(brief("ж".repeat(MESSAGE)).chars().count(), MESSAGE);
        let long = brief("ж".repeat(MESSAGE + 1));
        assert_eq!(long.chars().count(), MESSAGE + 1);
        assert!(long.ends_with("ж…"));
        assert_eq!(Quoted("a\"b").to_string(), r#""a\"b""#);
        let quoted = Quoted(&"ж".repeat(QUOTATION + 1)).to_string();
        assert_eq!(quoted, format!("\"{}\"…", "ж".repeat(QUOTATION)));
    }
}
