//! Quads that hug their letters.
//!
//! Some pages come with quads as high as the font, on others "sea" is half as high as "bulky". There
//! quads are stretched to the height of the font by what letters are in them, so that words of a
//! line are equally high and headings differ from text.

use crate::atom::Atom;
use crate::rect::{Rect, quantile};

/// Where letters start and end, in sizes of the font: with something high, without; without
/// something low, with.
const HIGH: f64 = 0.05;
const MIDDLE: f64 = 0.25;
const BASELINE: f64 = 0.78;
const LOW: f64 = 0.98;

/// Words of each kind that have to be seen before a page counts as hugging.
const SEEN: usize = 3;
/// On a page that hugs, words of small letters are lower than this share of those with all.
const HUGS: f64 = 0.8;

/// The extent of a text's letters in sizes of the font; `None` where it has other than ASCII
/// letters and digits, of which nothing is known.
fn extent(text: &str) -> Option<(f64, f64)> {
    if !text.is_ascii() || !text.contains(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let is_high =
        |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "bdfhijklt()[]/'\"!?".contains(c);
    let is_low = |c: char| "gjpqy,;()[]/Q".contains(c);
    let top = if text.contains(is_high) { HIGH } else { MIDDLE };
    let bottom = if text.contains(is_low) { LOW } else { BASELINE };
    Some((top, bottom))
}

/// Stretches the quads of a page that hug their letters.
pub(super) fn stretch(atoms: &mut [Atom]) {
    if !hugs(atoms) {
        return;
    }
    for atom in atoms.iter_mut().filter(|atom| !atom.is_solid()) {
        let Some(strip) = atom.strips.first_mut() else {
            continue;
        };
        let Some((top, bottom)) = extent(&strip.span.text) else {
            continue;
        };
        let font = strip.rect.height() / (bottom - top);
        strip.rect = Rect {
            y1: strip.rect.y1 - (top - HIGH) * font,
            y2: strip.rect.y2 + (LOW - bottom) * font,
            ..strip.rect
        };
        atom.rect = strip.rect;
    }
}

fn hugs(atoms: &[Atom]) -> bool {
    let heights = |high: f64, low: f64| {
        let strips = atoms
            .iter()
            .filter(|atom| !atom.is_solid())
            .flat_map(|atom| &atom.strips);
        let heights: Vec<f64> = strips
            .filter(|strip| extent(&strip.span.text) == Some((high, low)))
            .map(|strip| strip.rect.height())
            .collect();
        (heights.len() >= SEEN)
            .then(|| quantile(heights, 0.5))
            .flatten()
    };
    match (heights(MIDDLE, BASELINE), heights(HIGH, LOW)) {
        (Some(small), Some(all)) => small < HUGS * all,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_their_extent() {
        assert_eq!(extent("sea"), Some((MIDDLE, BASELINE)));
        assert_eq!(extent("Sea"), Some((HIGH, BASELINE)));
        assert_eq!(extent("gym."), Some((MIDDLE, LOW)));
        assert_eq!(extent("bulky"), Some((HIGH, LOW)));
        assert_eq!(extent("é"), None);
        assert_eq!(extent("-"), None);
    }
}
