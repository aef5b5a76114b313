//! Any text, in any form and by both reference post-processors.

#![no_main]

use florence_postprocess::{AnswerForm, Size, compat, parse_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, u32, &str)| {
    let (width, height, text) = input;
    let size = Size::new(width, height);
    for &form in AnswerForm::ALL {
        let parsed = parse_text(form, text, size);
        assert_eq!(parsed.answer.form(), form);
    }
    for task in [
        "<OCR>",
        "<OCR_WITH_REGION>",
        "<OD>",
        "<REGION_PROPOSAL>",
        "<CAPTION_TO_PHRASE_GROUNDING>",
        "<REFERRING_EXPRESSION_SEGMENTATION>",
        "<OPEN_VOCABULARY_DETECTION>",
    ] {
        compat::microsoft::post_process(text, task, size);
        compat::transformers::post_process(text, task, size);
    }
});
