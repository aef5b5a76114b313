//! Detects tight quads, and expands them to the font height.
//!
//! On some pages quads are as high as the font, on others "sea" is half as high as "bulky". The latter
//! are expanded according to their letters, so that words of a line are equally high and headings
//! differ from body text.

use crate::atom::Atom;
use crate::rect::{Rect, quantile};

/// Top and bottom of letters in font sizes: with and without ascenders, without and with descenders.
const HIGH: f64 = 0.05;
const MIDDLE: f64 = 0.25;
const BASELINE: f64 = 0.78;
const LOW: f64 = 0.98;

/// Words of each kind needed to decide that quads are tight.
const SEEN: usize = 3;
/// With tight quads, words without ascenders and descenders are lower than this share of those with both.
const TIGHT: f64 = 0.8;

/// Top and bottom of a text's letters in font sizes; `None` where they are not known: for text that is not
/// ASCII.
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

/// Expands tight quads to the font height.
pub(super) fn stretch(atoms: &mut [Atom]) {
    if !is_tight(atoms) {
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

fn is_tight(atoms: &[Atom]) -> bool {
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
        (Some(small), Some(all)) => small < TIGHT * all,
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
