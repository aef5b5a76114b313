//! Answers that look like the network's: labels, locations and markers in any
//! order, read in every form and by both reference post-processors. Each byte
//! chooses one piece, so that a mutation changes the answer and not its
//! spelling.

#![no_main]

use florence_postprocess::{
    AnswerForm, Size, Token, compat, parse, parse_text, raw_text, split_text,
};
use libfuzzer_sys::fuzz_target;

const TASKS: [&str; 12] = [
    "<CAPTION>",
    "<OCR>",
    "<OCR_WITH_REGION>",
    "<OD>",
    "<DENSE_REGION_CAPTION>",
    "<REGION_PROPOSAL>",
    "<CAPTION_TO_PHRASE_GROUNDING>",
    "<REFERRING_EXPRESSION_SEGMENTATION>",
    "<REGION_TO_SEGMENTATION>",
    "<OPEN_VOCABULARY_DETECTION>",
    "<REGION_TO_CATEGORY>",
    "<REGION_TO_OCR>",
];

const WORDS: [&str; 20] = [
    "car",
    "a red car",
    " ",
    "\n",
    "é",
    "日本",
    "<",
    ">",
    "loc_",
    "<loc_",
    "<loc_5",
    "<loc_1000>",
    "it",
    "A",
    "and",
    "\u{fffd}",
    "'",
    "1 000",
    "</s",
    "\0",
];
const CONTROLS: [&str; 12] = [
    "<poly>", "</poly>", "<sep>", "<and>", "<s>", "</s>", "<pad>", "<unk>", "<od>", "</od>",
    "<ocr>", "<mask>",
];

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (width, height, bytes) = input;
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            // Locations, of which four consecutive bytes make a box.
            0..160 => text.push_str(&format!(
                "<loc_{}>",
                (usize::from(*byte) * 7 + at * 13) % 1010
            )),
            160..200 => text.push_str(WORDS[usize::from(byte - 160) % WORDS.len()]),
            _ => text.push_str(CONTROLS[usize::from(byte - 200) % CONTROLS.len()]),
        }
    }
    let size = Size::new(width.into(), height.into());
    let pieces = split_text(&text);
    let tokens: Vec<_> = pieces
        .into_iter()
        .map(|piece| Token::new(piece, None))
        .collect();
    assert_eq!(raw_text(&tokens), text);
    for &form in AnswerForm::ALL {
        let parsed = parse(form, &tokens, size);
        assert_eq!(parsed.answer.form(), form);
        assert_eq!(parsed, parse_text(form, &text, size));
        for odd in &parsed.diagnostics {
            assert!(odd.token <= tokens.len());
        }
        serde_json::to_string(&parsed.answer).unwrap();
    }
    for task in TASKS {
        compat::microsoft::post_process(&text, task, size);
        compat::microsoft::post_process_with_scores(&tokens, task, size);
        compat::transformers::post_process(&text, task, size);
    }
});
