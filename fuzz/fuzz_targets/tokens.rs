//! Any sequence of tokens. Each pair of bytes is one: bins, markers, controls, and text that may
//! hold half a character.

#![no_main]

use florence_postprocess::{AnswerForm, Piece, Size, Token, compat, parse, raw_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (pairs, _) = bytes.as_chunks::<2>();
    let tokens: Vec<Token<'_>> = pairs
        .iter()
        .map(|pair| {
            let piece = match pair[0] {
                0..128 => Piece::Location(u16::from_le_bytes(*pair) % 1100),
                128..144 => {
                    Piece::Marker(["<poly>", "</poly>", "<sep>", "<and>"][pair[1] as usize % 4])
                }
                144..152 => Piece::Control(["<s>", "</s>", "<pad>", "<unk>"][pair[1] as usize % 4]),
                _ => Piece::Text(&pair[1..]),
            };
            Token::new(
                piece,
                (pair[1] != 255).then_some(-f32::from(pair[1]) / 64.0),
            )
        })
        .collect();
    let size = Size::new(640, 480);
    for &form in AnswerForm::ALL {
        for diagnostic in parse(form, &tokens, size).diagnostics {
            assert!(diagnostic.token <= tokens.len());
        }
    }
    compat::microsoft::post_process_with_scores(&tokens, "<OD>", size);
    raw_text(&tokens);
});
