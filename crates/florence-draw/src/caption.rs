//! The text of labels: one line that fits.

use crate::font;

/// Characters of a label that are read. No image has room for more.
const LONGEST: usize = 1000;

/// Text in one line: runs of whitespace and control characters are one space, and invisible characters
/// are removed.
pub(super) fn flattened(text: &str) -> impl Iterator<Item = char> {
    let mut space = false;
    let mut started = false;
    let visible = text.chars().filter(|c| !is_invisible(*c));
    visible.flat_map(move |c| {
        let gap = c.is_whitespace() || c.is_control();
        let pending = space && started && !gap;
        if gap {
            space = true;
        } else {
            (space, started) = (false, true);
        }
        let before = pending.then_some(' ');
        before.into_iter().chain((!gap).then_some(c))
    })
}

/// The beginning of a flattened text.
pub(super) fn beginning(text: &str) -> String {
    let mut line = flattened(text);
    let mut beginning: String = line.by_ref().take(LONGEST).collect();
    if line.next().is_some() {
        beginning.push('…');
    }
    beginning
}

/// Joiners, direction marks, variation selectors, and noncharacters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// A label of at most the width `room`, in font sizes: name and confidence, the name truncated where it
/// is too long, or the name alone where that leaves too little of it. Empty if nothing fits.
pub(super) fn caption(name: &str, confidence: Option<f32>, room: f32) -> String {
    let name = beginning(name);
    let number = confidence
        .filter(|confidence| confidence.is_finite())
        .map(|confidence| format!("{:.2}", confidence.clamp(-9.0, 9.0)));
    match number {
        Some(number) if name.is_empty() => cut(&number, room),
        Some(number) => {
            let number = format!(" {number}");
            let left = room - font::width(&number);
            if font::width(&name) <= left || left >= 6.0 {
                cut(&name, left) + &number
            } else {
                cut(&name, room)
            }
        }
        None => cut(&name, room),
    }
}

/// The line, truncated with an ellipsis where it does not fit.
fn cut(line: &str, room: f32) -> String {
    if font::width(line) <= room {
        return line.to_owned();
    }
    let mut left = room - font::advance('…');
    if left < 0.0 {
        return String::new();
    }
    let fitting = line.chars().take_while(|c| {
        left -= font::advance(*c);
        left >= 0.0
    });
    let fitting: String = fitting.collect();
    format!("{}…", fitting.trim_end().trim_end_matches('…'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> String {
        flattened(text).collect()
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(flat("  a\n\n b\t\u{0}c\u{202e}d \r\n"), "a b cd");
        assert_eq!(flat("\u{feff} \n "), "");
    }

    #[test]
    fn a_long_name_is_cut_and_its_confidence_stays() {
        let long = "a person in a red coat who waits at the crossing";
        let shown = caption(long, Some(0.876), 14.0);
        assert!(shown.starts_with("a person"), "{shown}");
        assert!(shown.ends_with("… 0.88"), "{shown}");
        assert!(font::width(&shown) <= 14.0);
    }

    #[test]
    fn where_room_is_short_the_name_comes_first() {
        let room = font::width("triangle") + 0.1;
        assert_eq!(caption("triangle", Some(0.5), room), "triangle");
        assert_eq!(caption("triangle", Some(0.5), 0.1), "");
    }

    #[test]
    fn confidences_that_are_not_finite_are_not_shown() {
        assert_eq!(caption("car", Some(f32::NAN), 20.0), "car");
        assert_eq!(caption("car", Some(f32::INFINITY), 20.0), "car");
        assert_eq!(caption("", Some(0.5), 20.0), "0.50");
        assert_eq!(caption("", None, 20.0), "");
    }
}
