//! Polygon instances of one phrase, as both references find them.

use super::phrase::{Location, locations_at};

/// The instances of a phrase: each is a list of polygons, each a flat list of bins x, y, x, y, …
/// of even length.
///
/// With both `<poly>` and `</poly>` present, what is between them is an instance; otherwise
/// the whole phrase is one. Instances without a polygon are left out.
pub(super) fn instances(phrase: &str) -> Vec<Vec<Vec<i64>>> {
    let bodies = if phrase.contains("<poly>") && phrase.contains("</poly>") {
        enclosed(phrase)
    } else {
        vec![phrase]
    };
    bodies
        .into_iter()
        .map(polygons)
        .filter(|polygons| !polygons.is_empty())
        .collect()
}

/// `re.finditer(r"<poly>(.*?)</poly>")`.
fn enclosed(phrase: &str) -> Vec<&str> {
    let mut bodies = Vec::new();
    let mut rest = phrase;
    while let Some((_, opened)) = rest.split_once("<poly>") {
        let Some((body, behind)) = opened.split_once("</poly>") else {
            break;
        };
        bodies.push(body);
        rest = behind;
    }
    bodies
}

/// `re.finditer(r"((?:<loc_\d+>)+)(?:<sep>|$)")`: only a run that ends at `<sep>` or with the
/// text counts. An odd last coordinate is dropped.
fn polygons(body: &str) -> Vec<Vec<i64>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = body[from..].find('<') {
        let start = from + offset;
        let run = locations_at(body, start);
        let Some(&Location { end, .. }) = run.last() else {
            from = start + 1;
            continue;
        };
        let rest = &body[end..];
        if rest.is_empty() || rest.starts_with("<sep>") {
            found.push(
                run[..run.len() & !1]
                    .iter()
                    .map(|location| location.bin)
                    .collect(),
            );
        }
        from = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclosed_instance_is_the_whole_phrase() {
        assert_eq!(instances("a<poly><loc_1><loc_2><loc_3>"), [[[1, 2]]]);
    }

    #[test]
    fn a_run_before_a_closing_token_does_not_count_without_an_opening_one() {
        assert!(instances("a<loc_1><loc_2></poly>").is_empty());
        assert_eq!(instances("a<loc_1><loc_2><sep></poly>"), [[[1, 2]]]);
    }

    #[test]
    fn one_coordinate_is_an_empty_polygon() {
        let none: Vec<i64> = Vec::new();
        assert_eq!(instances("<sep><sep><sep><loc_1>"), [[none]]);
    }
}
