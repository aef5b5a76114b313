//! YAML strings.

/// A text in double quotes, as YAML 1.1 and 1.2 read it back.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..'\u{20}' | '\u{7f}'..='\u{9f}' => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(char)));
            }
            // Line ends, the mark of byte order, and what is no character.
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn everything_that_yaml_minds_is_escaped() {
        assert_eq!(quoted("a: b # c"), r#""a: b # c""#);
        assert_eq!(
            quoted("\"\\\n\r\t\0\u{85}\u{2028}"),
            r#""\"\\\n\r\t\x00\x85\u2028""#
        );
        assert_eq!(quoted("café 猫 🐈"), "\"café 猫 🐈\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
