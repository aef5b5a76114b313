//! The regular expressions of the references, as scanners.
//!
//! The references find phrases with `[^<]+(?:<loc_\d+>){4,}`. A label therefore begins at the
//! first character that is not `<`, be it in the middle of a broken token: `<sep><loc_1>…` has
//! the label `sep>`. Every scanner here runs in one pass over the text.

use super::python;

/// `<loc_(\d+)>` somewhere in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) bin: i64,
    /// Byte offsets into the text.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The location token that starts at byte `at`, if one does.
pub(super) fn location_at(text: &str, at: usize) -> Option<Location> {
    let digits = text[at..].strip_prefix("<loc_")?;
    let mut bin: Option<i64> = None;
    for (offset, c) in digits.char_indices() {
        if let Some(digit) = python::digit(c) {
            bin = Some(bin.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        } else if c == '>' {
            let end = at + "<loc_".len() + offset + 1;
            return bin.map(|bin| Location {
                bin,
                start: at,
                end,
            });
        } else {
            return None;
        }
    }
    None
}

/// `(?:<loc_\d+>)*` from byte `at`: the locations that follow one another.
pub(super) fn locations_at(text: &str, mut at: usize) -> Vec<Location> {
    let mut run = Vec::new();
    while let Some(location) = location_at(text, at) {
        at = location.end;
        run.push(location);
    }
    run
}

/// What may follow a label, at least four times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// `<loc_\d+>`
    Locations,
    /// `<loc_\d+>`, `<sep>`, `<poly>` or `</poly>`
    Polygons,
}

impl Tail {
    fn token_end(self, text: &str, at: usize) -> Option<usize> {
        if let Some(location) = location_at(text, at) {
            return Some(location.end);
        }
        if self == Tail::Locations {
            return None;
        }
        ["<sep>", "<poly>", "</poly>"]
            .iter()
            .find(|token| text[at..].starts_with(**token))
            .map(|token| at + token.len())
    }

    /// `{4,}` from byte `at`: the end of the run, if it is long enough.
    fn end(self, text: &str, at: usize) -> Option<usize> {
        let mut end = at;
        let mut count = 0;
        while let Some(next) = self.token_end(text, end) {
            end = next;
            count += 1;
        }
        (count >= 4).then_some(end)
    }
}

/// `re.findall` of `[^<]+(?:tail){4,}`, or of `(?:tail){4,}` without a label.
pub(super) fn phrases(text: &str, tail: Tail, labeled: bool) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = text[from..].find('<') {
        let tail_start = from + offset;
        let start = if labeled { from } else { tail_start };
        match tail.end(text, tail_start) {
            Some(end) if !labeled || tail_start > from => {
                found.push(&text[start..end]);
                from = end;
            }
            // `[^<]+` cannot begin at this `<`, but it can right behind it.
            _ => from = tail_start + 1,
        }
    }
    found
}

/// Where a label ends: the look-ahead of the references' phrase pattern.
pub(super) const BOX_STOPS: &[&str] = &[
    "<od>", "</od>", "<box>", "</box>", "<bbox>", "</bbox>", "<loc_",
];

/// The same for polygons.
pub(super) const POLYGON_STOPS: &[&str] = &[
    "<od>", "</od>", "<box>", "</box>", "<bbox>", "</bbox>", "<loc_", "<poly>",
];

/// `re.search(r"^\s*(.*?)(?=stops)")`, stripped. `.` does not match a newline, so a label that
/// holds one (other than at its start) finds nothing, and its phrase is lost.
pub(super) fn label<'a>(phrase: &'a str, stops: &[&str]) -> Option<&'a str> {
    let body = phrase.trim_start_matches(python::is_space);
    for (offset, c) in body.char_indices() {
        if c == '<' && stops.iter().any(|stop| body[offset..].starts_with(stop)) {
            return Some(python::strip(&body[..offset]));
        }
        if c == '\n' {
            return None;
        }
    }
    None
}

/// A phrase of the box tasks: its label and the groups of four locations behind it. What is left
/// over of the last group is dropped.
pub(super) struct Boxes<'a> {
    pub(super) label: &'a str,
    pub(super) boxes: Vec<[Location; 4]>,
}

/// Reads one result of [`phrases`] with [`Tail::Locations`].
pub(super) fn boxes(phrase: &str) -> Option<Boxes<'_>> {
    let label = label(phrase, BOX_STOPS)?;
    let run = locations_at(phrase, phrase.find('<')?);
    let boxes = run
        .chunks_exact(4)
        .map(|group| [group[0], group[1], group[2], group[3]])
        .collect();
    Some(Boxes { label, boxes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_begin_inside_a_token() {
        let text = "<sep><loc_1><loc_2><loc_3><loc_4>";
        assert_eq!(
            phrases(text, Tail::Locations, true),
            ["sep><loc_1><loc_2><loc_3><loc_4>"]
        );
        let text = "<loc_1><loc_2><loc_3><loc_4><loc_5>";
        assert_eq!(
            phrases(text, Tail::Locations, true),
            ["loc_1><loc_2><loc_3><loc_4><loc_5>"]
        );
        assert_eq!(phrases(text, Tail::Locations, false), [text]);
    }

    #[test]
    fn three_locations_are_no_phrase() {
        assert!(phrases("a<loc_1><loc_2><loc_3>", Tail::Locations, true).is_empty());
        assert!(phrases("a", Tail::Locations, true).is_empty());
        assert!(phrases("", Tail::Locations, false).is_empty());
    }

    #[test]
    fn a_newline_ends_the_search_for_a_label() {
        assert_eq!(label("\n a <loc_1>", BOX_STOPS), Some("a"));
        assert_eq!(label("a\n<loc_1>", BOX_STOPS), None);
        assert_eq!(label("a", BOX_STOPS), None);
        assert_eq!(label("a<sep><poly>", POLYGON_STOPS), Some("a<sep>"));
    }

    #[test]
    fn a_location_needs_its_digits_and_its_end() {
        for broken in ["<loc_>", "<loc_1", "<loc_1a>", "<loc_-1>", "loc_1>"] {
            assert_eq!(location_at(broken, 0), None, "{broken}");
        }
        let huge = location_at("<loc_99999999999999999999>", 0).map(|location| location.bin);
        assert_eq!(huge, Some(i64::MAX));
    }
}
