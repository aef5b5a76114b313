//! The tokens that Florence-2 adds to BART's vocabulary.

/// How many there are: 24 markers and 1,000 locations.
#[cfg(test)]
pub(super) const COUNT: usize = 1024;

/// How many location tokens there are: one per bin.
pub(super) const LOCATIONS: u16 = 1000;

/// Markers before the locations, in the order of the reference processor.
const BEFORE: [&str; 4] = ["<od>", "</od>", "<ocr>", "</ocr>"];

/// Markers after the locations. `desciption` is how the published tokenizer
/// spells it.
const AFTER: [&str; 20] = [
    "<cap>",
    "</cap>",
    "<ncap>",
    "</ncap>",
    "<dcap>",
    "</dcap>",
    "<grounding>",
    "</grounding>",
    "<seg>",
    "</seg>",
    "<sep>",
    "<region_cap>",
    "</region_cap>",
    "<region_to_desciption>",
    "</region_to_desciption>",
    "<proposal>",
    "</proposal>",
    "<poly>",
    "</poly>",
    "<and>",
];

/// All 1,024 in the order in which the reference processor appends them
/// (`Florence2Processor.__init__` of the published checkpoints).
pub(super) fn all() -> impl Iterator<Item = String> {
    BEFORE
        .into_iter()
        .map(str::to_owned)
        .chain((0..LOCATIONS).map(|bin| format!("<loc_{bin}>")))
        .chain(AFTER.into_iter().map(str::to_owned))
}

/// The bin of a location token, exactly as it is spelled: `<loc_01>` and
/// `<loc_1000>` are none.
pub(super) fn location(token: &str) -> Option<u16> {
    let digits = token.strip_prefix("<loc_")?.strip_suffix('>')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().filter(|bin| *bin < LOCATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_1024_different_tokens() {
        let set: std::collections::HashSet<String> = all().collect();
        assert_eq!(set.len(), COUNT);
        assert_eq!(all().nth(4).as_deref(), Some("<loc_0>"));
    }

    #[test]
    fn locations_are_read_exactly() {
        assert_eq!(location("<loc_0>"), Some(0));
        assert_eq!(location("<loc_999>"), Some(999));
        for not in [
            "<loc_>",
            "<loc_01>",
            "<loc_1000>",
            "<loc_+1>",
            "<LOC_1>",
            "loc_1",
            "<loc_1",
        ] {
            assert_eq!(location(not), None, "{not}");
        }
    }
}
