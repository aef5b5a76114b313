//! Python's `str`, `re`, `int` and `json` where they differ from Rust's standard library.

use super::value::{Style, Value, write_json};

/// `str.isspace` of one character, which is also `\s` of `re`: the Unicode property White_Space
/// and the four information separators U+001C to U+001F.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `text.encode("ascii", "ignore").decode("ascii")`.
pub(super) fn ascii_only(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// The zeros of the decimal digits (Unicode category Nd), each followed by its nine companions:
/// what `\d` matches and `int()` reads. Printed by Python 3.11 (Unicode 14) from `unicodedata`.
const ZEROS: [u32; 66] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// The value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<i64> {
    if c.is_ascii() {
        return c.to_digit(10).map(i64::from);
    }
    let code = u32::from(c);
    let zero = match ZEROS.binary_search(&code) {
        Ok(index) => ZEROS[index],
        Err(0) => return None,
        Err(index) => ZEROS[index - 1],
    };
    (code - zero < 10).then_some(i64::from(code - zero))
}

/// A value as Python's `json.dumps(value, ensure_ascii=False)` prints it: a space after `,` and
/// `:`, and floats as `repr` writes them (`640.0`, `1e-05`, `1e+16`).
///
/// # Example
///
/// ```
/// use florence_postprocess::{Size, compat};
///
/// let answer = "</s><s>car<loc_54><loc_375><loc_906><loc_707></s>";
/// let dict = compat::microsoft::post_process(answer, "<OD>", Size::new(640, 480));
/// assert_eq!(
///     compat::to_python_json(&dict),
///     r#"{"<OD>": {"bboxes": [[34.880001068115234, 180.239990234375, 580.1599731445312, 339.6000061035156]], "labels": ["car"]}}"#,
/// );
/// ```
pub fn to_python_json(value: &Value) -> String {
    let style = Style {
        comma: ", ",
        colon: ": ",
        not_finite: |number| match number {
            f64::INFINITY => "Infinity",
            f64::NEG_INFINITY => "-Infinity",
            _ => "NaN",
        },
    };
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_json(value, &style, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_other_scripts_are_digits() {
        assert_eq!(digit('7'), Some(7));
        assert_eq!(digit('\u{0663}'), Some(3));
        assert_eq!(digit('\u{1D7FF}'), Some(9));
        assert_eq!(digit('\u{1FBFA}'), None);
        assert_eq!(digit('²'), None);
        assert_eq!(digit('x'), None);
    }

    #[test]
    fn the_information_separators_are_spaces() {
        assert_eq!(strip("\u{1c}\u{1f}\u{85}\u{a0} a \u{3000}\n"), "a");
        assert_eq!(strip("\u{200b}a"), "\u{200b}a");
    }
}
