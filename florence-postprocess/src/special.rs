//! Special tokens in decoded text.

use crate::token::Piece;

/// BART's special tokens.
pub(crate) const CONTROLS: [&str; 5] = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"];
/// The markers of Florence-2, in the order in which the reference processor adds them; the locations
/// come after the first four. `desciption` is how the published tokenizer spells it.
pub(crate) const MARKERS: [&str; 24] = [
    "<od>",
    "</od>",
    "<ocr>",
    "</ocr>",
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

/// Splits decoded text into pieces: the special tokens that it spells out, and the text between
/// them.
///
/// Special are `<loc_N>` (with an `N` of decimal digits; above 65535 it saturates), the 24 markers
/// of the published vocabulary, and `<s>`, `</s>`, `<pad>`, `<unk>`, `<mask>`. Everything else is
/// text. Concatenated, the pieces give the text again (except for leading zeros of locations).
///
/// Prefer token ids: text cannot distinguish the token `<sep>` from the same five characters.
///
/// # Example
///
/// ```
/// use florence_postprocess::{Piece, split_text};
///
/// assert_eq!(split_text("<s>a <b><loc_12><poly>"), [
///     Piece::Control("<s>"),
///     Piece::Text(b"a <b>"),
///     Piece::Location(12),
///     Piece::Marker("<poly>"),
/// ]);
/// ```
pub fn split_text(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find('<') {
        at += offset;
        let Some((piece, len)) = special(&text[at..]) else {
            at += 1;
            continue;
        };
        if from < at {
            pieces.push(Piece::Text(&text.as_bytes()[from..at]));
        }
        pieces.push(piece);
        at += len;
        from = at;
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text.as_bytes()[from..]));
    }
    pieces
}

/// The special token at the start of a text, and its length in bytes.
fn special(text: &str) -> Option<(Piece<'static>, usize)> {
    if let Some(digits) = text.strip_prefix("<loc_") {
        let len = digits.bytes().take_while(u8::is_ascii_digit).count();
        if len == 0 || !digits[len..].starts_with('>') {
            return None;
        }
        let bin = digits[..len].parse().unwrap_or(u16::MAX);
        return Some((Piece::Location(bin), "<loc_".len() + len + 1));
    }
    let starts = |token: &&&'static str| text.starts_with(**token);
    if let Some(control) = CONTROLS.iter().find(starts) {
        return Some((Piece::Control(control), control.len()));
    }
    let marker = MARKERS.iter().find(starts)?;
    Some((Piece::Marker(marker), marker.len()))
}
