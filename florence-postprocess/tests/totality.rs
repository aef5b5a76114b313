//! Anything can be parsed, in any form, by any parser; and coordinates survive the bins.

use std::path::Path;

use florence_postprocess::{
    AnswerForm, BBox, BINS, Piece, Point, Quantizer, Size, Token, compat, parse, parse_text,
    raw_text, split_text,
};
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

/// The distinct texts of the golden files.
fn golden_texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let golden = std::fs::read_to_string(folder.join("golden.json")).unwrap();
    let matrix = std::fs::read_to_string(folder.join("matrix_microsoft.jsonl")).unwrap();
    let golden: Vec<serde_json::Value> = serde_json::from_str(&golden).unwrap();
    let mut texts: Vec<String> = matrix
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .chain(golden)
        .map(|case: serde_json::Value| case["raw_text"].as_str().unwrap().to_owned())
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn try_text(text: &str, size: Size) {
    for form in AnswerForm::ALL {
        check(
            form,
            &split_text(text)
                .into_iter()
                .map(Token::from)
                .collect::<Vec<_>>(),
            size,
        );
    }
    for task in TASKS {
        compat::microsoft::post_process(text, task, size);
        compat::transformers::post_process(text, task, size);
    }
}

/// What holds for every answer.
fn check(form: AnswerForm, tokens: &[Token<'_>], size: Size) {
    let parsed = parse(form, tokens, size);
    assert_eq!(parsed.answer.form(), form);
    let (width, height) = (size.width as f32, size.height as f32);
    let inside =
        |point: Point| (0.0..=width).contains(&point.x) && (0.0..=height).contains(&point.y);
    let fits = |bbox: &BBox| {
        bbox.is_ordered()
            && inside(Point::new(bbox.x1, bbox.y1))
            && inside(Point::new(bbox.x2, bbox.y2))
    };
    let answer = &parsed.answer;
    assert!(answer.detections().iter().all(|found| fits(&found.bbox)));
    assert!(answer.regions().iter().all(|region| fits(&region.bbox)));
    assert!(
        answer
            .text_regions()
            .iter()
            .all(|line| line.quad.points.into_iter().all(inside))
    );
    for instance in answer.instances() {
        assert!(!instance.outlines.is_empty());
        assert!(
            instance
                .polygons()
                .all(|polygon| polygon.points.iter().copied().all(inside))
        );
    }
    for odd in &parsed.diagnostics {
        assert!(odd.token <= tokens.len(), "{odd}");
        assert!(!odd.to_string().is_empty());
    }

    // Nothing is lost: every location is in the answer or in a diagnostic.
    let given = tokens
        .iter()
        .filter(|token| matches!(token.piece, Piece::Location(_)))
        .count();
    assert_eq!(
        count_locations(&parsed),
        given,
        "{form}: {:?}",
        raw_text(tokens)
    );
}

fn count_locations(parsed: &florence_postprocess::Parsed) -> usize {
    use florence_postprocess::{Answer, DiagnosticKind as Odd};
    let answer = &parsed.answer;
    let phrases: usize = answer
        .phrases()
        .iter()
        .map(|phrase| phrase.regions.len())
        .sum();
    let boxes = answer.detections().len() + answer.regions().len() + phrases;
    let outlines = answer
        .instances()
        .iter()
        .flat_map(|instance| &instance.outlines)
        .map(|o| o.bins.len());
    let spelt = match answer {
        Answer::Markup(text) => text.text.matches("<loc_").count(),
        _ => 0,
    };
    // Half a point is part of the bins of its outline; alone, it is no outline.
    let halves = outlines.clone().filter(|len| len % 2 == 1).count();
    let dangling: usize = parsed
        .diagnostics
        .iter()
        .map(|odd| match &odd.kind {
            Odd::IncompleteBox { bins, .. }
            | Odd::IncompleteQuad { bins, .. }
            | Odd::UnexpectedLocations { bins } => bins.len(),
            Odd::OddCoordinate { .. } => 1,
            _ => 0,
        })
        .sum();
    4 * boxes + 8 * answer.text_regions().len() + outlines.sum::<usize>() + spelt + dangling
        - halves
}

#[test]
fn every_prefix_of_every_golden_answer() {
    for text in golden_texts() {
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let prefix = &text[..end];
            for form in AnswerForm::ALL {
                parse_text(form, prefix, Size::new(640, 480));
            }
            for task in TASKS {
                compat::microsoft::post_process(prefix, task, Size::new(640, 480));
                compat::transformers::post_process(prefix, task, Size::new(640, 480));
            }
        }
    }
}

#[test]
fn every_token_left_out_of_every_golden_answer() {
    for text in golden_texts() {
        let pieces = split_text(&text);
        for left_out in 0..pieces.len() {
            let mut tokens: Vec<Token<'_>> = pieces.iter().copied().map(Token::from).collect();
            tokens.remove(left_out);
            for form in AnswerForm::ALL {
                parse(form, &tokens, Size::new(13, 7));
            }
        }
    }
}

#[test]
fn an_image_without_pixels() {
    for text in golden_texts() {
        try_text(&text, Size::default());
    }
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0u16..1000).prop_map(|bin| format!("<loc_{bin}>")),
        3 => prop::sample::select(vec![
            "<s>", "</s>", "<pad>", "<unk>", "<poly>", "</poly>", "<sep>", "<and>", "<od>",
            "<loc_", "<loc_>", "loc_1>", "<loc_1000>", "<loc_99999999999999999999>", "<",
            ">", "\n", " ", "\u{1c}", "é", "日本", "\u{0663}", "<loc_\u{0663}>", "the image",
        ]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

fn piece() -> impl Strategy<Value = (Piece<'static>, Option<f32>)> {
    let marker = prop::sample::select(vec!["<poly>", "</poly>", "<sep>", "<and>", "<od>", ""]);
    let control = prop::sample::select(vec!["<s>", "</s>", "<pad>", "<unk>", "<mask>", ""]);
    let text = prop::sample::select(vec![
        &b"car"[..],
        b" ",
        b"\xc3",
        b"\xa9",
        b"",
        b"\n",
        b"a\xf0\x9f",
        b"the",
        b"<loc_1>",
    ]);
    let piece = prop_oneof![
        5 => (0u16..1100).prop_map(Piece::Location),
        1 => any::<u16>().prop_map(Piece::Location),
        2 => marker.prop_map(Piece::Marker),
        1 => control.prop_map(Piece::Control),
        3 => text.prop_map(Piece::Text),
    ];
    let logprob = prop_oneof![
        4 => (-20.0f32..0.0).prop_map(Some),
        1 => Just(None),
        1 => any::<f32>().prop_map(Some),
    ];
    (piece, logprob)
}

fn size() -> impl Strategy<Value = Size> {
    let side = || prop_oneof![4 => 1u32..5000, 1 => 0u32..4, 1 => any::<u32>()];
    (side(), side()).prop_map(Size::from)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(fragments in prop::collection::vec(fragment(), 0..40), size in size()) {
        let text = fragments.concat();
        let tokens: Vec<Token<'_>> = split_text(&text).into_iter().map(Token::from).collect();
        prop_assert!(raw_text(&tokens).len() <= text.len());
        for form in AnswerForm::ALL {
            parse_text(form, &text, size);
        }
        for task in TASKS {
            compat::microsoft::post_process(&text, task, size);
            compat::transformers::post_process(&text, task, size);
        }
    }

    #[test]
    fn any_tokens(pieces in prop::collection::vec(piece(), 0..60)) {
        let tokens: Vec<Token<'_>> =
            pieces.iter().map(|(piece, logprob)| Token::new(*piece, *logprob)).collect();
        for form in AnswerForm::ALL {
            // Text that spells a location is not one; the count below is for tokens.
            if form == AnswerForm::Markup {
                parse(form, &tokens, Size::new(640, 480));
            } else {
                check(form, &tokens, Size::new(640, 480));
            }
        }
        for task in TASKS {
            compat::microsoft::post_process_with_scores(&tokens, task, Size::new(640, 480));
        }
    }

    #[test]
    fn confidences_are_probabilities(pieces in prop::collection::vec(piece(), 0..60)) {
        let tokens: Vec<Token<'_>> = pieces
            .iter()
            .map(|(piece, logprob)| Token::new(*piece, logprob.map(|value| -value.abs())))
            .collect();
        let answer = parse(AnswerForm::BoxesOrPolygons, &tokens, Size::new(640, 480)).answer;
        let boxes = answer.detections().iter().map(|found| found.confidence);
        let things = answer.instances().iter().map(|found| found.confidence);
        for confidence in boxes.chain(things).flatten() {
            prop_assert!((0.0..=1.0).contains(&confidence), "{}", confidence);
        }
    }

    #[test]
    fn dequantise_of_quantise_is_within_half_a_bin(
        width in 1u32..20_000, height in 1u32..20_000, x in 0.0f32..1.0, y in 0.0f32..1.0,
    ) {
        let quantizer = Quantizer::new(Size::new(width, height));
        let point = Point::new(x * width as f32, y * height as f32);
        let back = quantizer.dequantize(quantizer.quantize(point));
        // Half a bin, and what `f32` cannot tell apart at this magnitude.
        let within = |side: u32| side as f32 / 1000.0 / 2.0 * 1.000_1 + side as f32 * 1e-6;
        prop_assert!((back.x - point.x).abs() <= within(width), "{back:?} {point:?}");
        prop_assert!((back.y - point.y).abs() <= within(height), "{back:?} {point:?}");
    }

    #[test]
    fn quantise_of_dequantise_is_the_bin(size in size(), x in 0..BINS, y in 0..BINS) {
        prop_assume!(size.width > 0 && size.height > 0);
        let quantizer = Quantizer::new(size);
        prop_assert_eq!(quantizer.quantize(quantizer.dequantize([x, y])), [x, y]);
    }
}
