//! Overlays: watermarks and stamps printed over the text.

use crate::atom::Atom;

/// Overlays are higher than the page's text by this factor.
const HIGHER: f64 = 3.0;
/// Minimum number of lines below an overlay.
const LINES: usize = 3;
/// A line is below an overlay if they overlap by half of its height and by this width, in heights of the text.
const WIDTH: f64 = 0.5;

/// Removes and returns overlays.
pub(super) fn lift(atoms: &mut Vec<Atom>, height: f64) -> Vec<Atom> {
    let is_high = |atom: &Atom| !atom.is_solid() && atom.rect.height() > HIGHER * height;
    let is_over = |over: &Atom| {
        let below = atoms.iter().filter(|atom| !is_high(atom)).filter(|atom| {
            let (a, b) = (&over.rect, &atom.rect);
            let wide = a.x2.min(b.x2) - a.x1.max(b.x1);
            let high = a.y2.min(b.y2) - a.y1.max(b.y1);
            wide >= WIDTH * height && high >= b.height() / 2.0
        });
        is_high(over) && below.take(LINES).count() == LINES
    };
    let over: Vec<bool> = atoms.iter().map(is_over).collect();
    let mut lifted = Vec::new();
    let all = std::mem::take(atoms);
    for (atom, over) in all.into_iter().zip(over) {
        if over {
            lifted.push(atom)
        } else {
            atoms.push(atom)
        }
    }
    lifted
}
