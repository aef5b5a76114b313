//! Any input can be processed by both reference post-processors.

mod inputs;

use florence_postprocess::{Size, Token, compat, split_text};
use inputs::{fragment, golden_texts, piece, size};
use proptest::prelude::*;

const TASKS: [&str; 8] = [
    "<OCR>",
    "<OCR_WITH_REGION>",
    "<OD>",
    "<REGION_PROPOSAL>",
    "<CAPTION_TO_PHRASE_GROUNDING>",
    "<REFERRING_EXPRESSION_SEGMENTATION>",
    "<OPEN_VOCABULARY_DETECTION>",
    "<SOMETHING_ELSE>",
];

fn try_text(text: &str, size: Size) {
    for task in TASKS {
        compat::microsoft::post_process(text, task, size);
        compat::transformers::post_process(text, task, size);
    }
}

#[test]
fn every_prefix_of_every_golden_answer() {
    for text in golden_texts() {
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            try_text(&text[..end], Size::new(640, 480));
        }
    }
}

#[test]
fn an_image_without_pixels() {
    for text in golden_texts() {
        try_text(&text, Size::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(fragments in prop::collection::vec(fragment(), 0..40), size in size()) {
        try_text(&fragments.concat(), size);
    }

    #[test]
    fn any_tokens(pieces in prop::collection::vec(piece(), 0..60)) {
        let tokens: Vec<Token<'_>> =
            pieces.iter().map(|(piece, logprob)| Token::new(*piece, *logprob)).collect();
        for task in TASKS {
            compat::microsoft::post_process_with_scores(&tokens, task, Size::new(640, 480));
        }
    }

    /// What is printed is what serde_json reads: the same keys in the same order, the same numbers.
    #[test]
    fn dicts_print_as_json(fragments in prop::collection::vec(fragment(), 0..40), size in size()) {
        let text = fragments.concat();
        prop_assert!(split_text(&text).len() <= text.len());
        for task in TASKS {
            let dict = compat::microsoft::post_process(&text, task, size);
            for printed in [dict.to_string(), compat::to_python_json(&dict)] {
                let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
                prop_assert_eq!(read[task].is_string(), dict[task].as_str().is_some());
                let keys = |map: &serde_json::Map<String, serde_json::Value>| -> Vec<String> {
                    map.keys().cloned().collect()
                };
                let ours: Option<Vec<String>> = dict[task]
                    .as_dict()
                    .map(|entries| entries.iter().map(|(key, _)| key.clone()).collect());
                prop_assert_eq!(read[task].as_object().map(keys), ours);
            }
        }
    }
}
