//! Text lines with eight coordinates, as both references find them.

use super::phrase::location_at;

/// A line of text and its eight bins x, y, x, y, …
pub(super) struct Quad<'a> {
    pub(super) content: &'a str,
    pub(super) bins: [i64; 8],
}

/// `re.findall(r"(.+?)" + r"<loc_(\d+)>" * 8)`.
///
/// The content is at least one character, whatever it is, and holds no newline: text before a
/// newline is lost, and eight locations at the very start become content themselves.
pub(super) fn quads(text: &str) -> Vec<Quad<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == '<'
            && at > start
            && let Some((bins, end)) = eight_at(text, at)
        {
            found.push(Quad {
                content: &text[start..at],
                bins,
            });
            start = end;
            at = end;
            continue;
        }
        at += c.len_utf8();
        if c == '\n' {
            start = at;
        }
    }
    found
}

fn eight_at(text: &str, mut at: usize) -> Option<([i64; 8], usize)> {
    let mut bins = [0; 8];
    for bin in &mut bins {
        let location = location_at(text, at)?;
        *bin = location.bin;
        at = location.end;
    }
    Some((bins, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_locations_at_the_start_are_content() {
        let eight = "<loc_1>".repeat(8);
        assert!(quads(&eight).is_empty());
        let nine = "<loc_2>".to_owned() + &eight;
        let found = quads(&nine);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].content, "<loc_2>");
        assert_eq!(found[0].bins, [1; 8]);
    }

    #[test]
    fn text_before_a_newline_is_lost() {
        let text = "one\ntwo".to_owned() + &"<loc_1>".repeat(8);
        assert_eq!(quads(&text)[0].content, "two");
        let text = "one\n".to_owned() + &"<loc_1>".repeat(8);
        assert!(quads(&text).is_empty());
    }
}
