//! List markers.

/// The kind of a list marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet,
    /// A number or letter with a full stop or a bracket.
    Number,
}

/// Without the em dash, which starts direct speech.
const BULLETS: [char; 13] = [
    '•', '‣', '◦', '▪', '▫', '●', '○', '■', '□', '–', '-', '*', '·',
];

/// The list marker at the start of a line.
pub(super) fn marker(line: &str) -> Option<Marker> {
    let (mark, rest) = parts(line)?;
    if rest.is_empty() && !mark.starts_with(BULLETS) {
        return None;
    }
    if mark.chars().count() == 1 && mark.starts_with(BULLETS) {
        return Some(Marker::Bullet);
    }
    let bare = mark.strip_prefix('(').unwrap_or(mark);
    let bare = bare.strip_suffix(['.', ')'])?;
    let is_number = !bare.is_empty() && bare.len() <= 3 && bare.chars().all(|c| c.is_ascii_digit());
    let is_letter = bare.len() == 1
        && bare.chars().all(|c| c.is_ascii_lowercase())
        && (mark.ends_with(')') || bare < "i");
    let is_roman =
        mark.starts_with('(') && bare.len() <= 4 && bare.chars().all(|c| "ivx".contains(c));
    (is_number || is_letter || is_roman).then_some(Marker::Number)
}

/// The first word of a line and what follows it.
pub(super) fn parts(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (mark, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (!mark.is_empty()).then_some((mark, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_lists_are_told_from_words() {
        for bullet in ["• eggs", "- eggs", "– eggs", "•"] {
            assert_eq!(marker(bullet), Some(Marker::Bullet), "{bullet}");
        }
        for number in [
            "1. eggs",
            "12) eggs",
            "(3) eggs",
            "a) eggs",
            "(b) eggs",
            "(iv) eggs",
        ] {
            assert_eq!(marker(number), Some(Marker::Number), "{number}");
        }
        for other in [
            "",
            "1990. The",
            "eggs",
            "-eggs",
            "I. e",
            "3.5 eggs",
            "12.",
            "A) b",
            "— No",
            "…",
        ] {
            assert_eq!(marker(other), None, "{other}");
        }
    }
}
