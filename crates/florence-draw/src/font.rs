//! The embedded font.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, point};

/// A subset of DejaVu Sans Condensed Bold; see its license beside it.
static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/DejaVuSansCondensed-Bold.subset.ttf");
    FontRef::try_from_slice(bytes).ok()
});

/// Cap height, in font sizes.
pub(super) const CAPITAL: f32 = 0.729;

/// The advance width of a character, in font sizes.
pub(super) fn advance(character: char) -> f32 {
    FONT.as_ref().map_or(0.5, |font| {
        let units = font.h_advance_unscaled(font.glyph_id(character));
        units / font.units_per_em().unwrap_or(2048.0)
    })
}

/// The width of a line of text, in font sizes.
pub(super) fn width(text: &str) -> f32 {
    text.chars().map(advance).sum()
}

/// Calls `dot` with every pixel that text covers: column, row and coverage.
pub(super) fn draw(
    text: &str,
    (x, baseline): (f32, f32),
    size: f32,
    mut dot: impl FnMut(i64, i64, f32),
) {
    let Some(font) = FONT.as_ref() else {
        return;
    };
    // ab_glyph counts in line heights.
    let scale = size * font.height_unscaled() / font.units_per_em().unwrap_or(2048.0);
    let mut pen = x;
    for character in text.chars() {
        let glyph = Glyph {
            id: font.glyph_id(character),
            scale: PxScale::from(scale),
            position: point(pen, baseline),
        };
        pen += advance(character) * size;
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            let (left, top) = (corner.x as i64, corner.y as i64);
            outline.draw(|x, y, share| dot(left + i64::from(x), top + i64::from(y), share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_scripts_that_are_promised() {
        let font = FONT.as_ref().unwrap();
        for c in "azAZ09 ß ñ ő ŵ ạ Ω ἀ Ж ѣ Ֆ ֆ ა ჰ – — … “ „ € ₽ → ≤ ×".chars()
        {
            assert_ne!(font.glyph_id(c).0, 0, "{c:?}");
        }
    }

    #[test]
    fn what_the_font_does_not_have_is_a_box() {
        let mut pixels = 0;
        draw("東", (0.0, 40.0), 40.0, |_, _, share| {
            pixels += usize::from(share > 0.5);
        });
        assert!(pixels > 50, "{pixels}");
        assert!(advance('東') > 0.3);
    }
}
