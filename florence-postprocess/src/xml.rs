//! Escaping for XML, SVG and XHTML.

/// Escapes a text for an element or a double-quoted attribute of XML 1.0, and tells whether it holds
/// characters that XML cannot represent, which become U+FFFD.
///
/// Labels and texts are untrusted: the model reads them from images.
///
/// # Example
///
/// ```
/// use florence_postprocess::xml::escaped;
///
/// assert_eq!(escaped("<R&B>"), ("&lt;R&amp;B&gt;".to_owned(), false));
/// assert_eq!(escaped("a\0b"), ("a\u{fffd}b".to_owned(), true));
/// ```
pub fn escaped(text: &str) -> (String, bool) {
    let (mut escaped, mut changed) = (String::new(), false);
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Parsers make line feeds of carriage returns, and some take space off.
            '\n' | '\r' | '\t' => escaped.push_str(&format!("&#{};", u32::from(char))),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}');
                changed = true;
            }
            _ => escaped.push(char),
        }
    }
    (escaped, changed)
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_and_line_ends_are_escaped() {
        let (text, changed) = escaped("<a b=\"c\">'d' & e\r\n]]></a>");
        assert_eq!(
            text,
            "&lt;a b=&quot;c&quot;&gt;'d' &amp; e&#13;&#10;]]&gt;&lt;/a&gt;"
        );
        assert!(!changed);
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escaped("a\0b\u{1b}c\u{ffff}"),
            ("a\u{fffd}b\u{fffd}c\u{fffd}".to_owned(), true)
        );
    }
}
