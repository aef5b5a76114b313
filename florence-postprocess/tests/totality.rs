//! Any input can be parsed, in any form; and coordinates survive quantization.

mod inputs;

use florence_postprocess::{
    AnswerForm, BBox, BINS, CoordinateQuantizer, Piece, Point, Size, Token, parse, parse_text,
    raw_text, split_text,
};
use inputs::{fragment, golden_texts, piece, size};
use proptest::prelude::*;

fn try_text(text: &str, size: Size) {
    for &form in AnswerForm::ALL {
        check(
            form,
            &split_text(text)
                .into_iter()
                .map(Token::from)
                .collect::<Vec<_>>(),
            size,
        );
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
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.token <= tokens.len(), "{diagnostic}");
        assert!(!diagnostic.to_string().is_empty());
    }

    // What was suppressed once leaves nothing to suppress.
    let mut left = parsed.answer.clone();
    left.nms(0.5);
    let once = left.clone();
    left.nms(0.5);
    assert_eq!(left, once);

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
    use florence_postprocess::{Answer, DiagnosticKind as Kind};
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
    let spelled = match answer {
        Answer::Markup(text) => text.text.matches("<loc_").count(),
        _ => 0,
    };
    // Half a point is part of the bins of its outline; alone, it is no outline.
    let halves = outlines.clone().filter(|len| len % 2 == 1).count();
    let dangling: usize = parsed
        .diagnostics
        .iter()
        .map(|diagnostic| match &diagnostic.kind {
            Kind::IncompleteBox { bins, .. }
            | Kind::IncompleteQuad { bins, .. }
            | Kind::UnexpectedLocations { bins } => bins.len(),
            Kind::OddCoordinate { .. } => 1,
            _ => 0,
        })
        .sum();
    4 * boxes + 8 * answer.text_regions().len() + outlines.sum::<usize>() + spelled + dangling
        - halves
}

#[test]
fn every_prefix_of_every_golden_answer() {
    for text in golden_texts() {
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let prefix = &text[..end];
            for &form in AnswerForm::ALL {
                parse_text(form, prefix, Size::new(640, 480));
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
            for &form in AnswerForm::ALL {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(fragments in prop::collection::vec(fragment(), 0..40), size in size()) {
        let text = fragments.concat();
        let tokens: Vec<Token<'_>> = split_text(&text).into_iter().map(Token::from).collect();
        prop_assert!(raw_text(&tokens).len() <= text.len());
        for &form in AnswerForm::ALL {
            parse_text(form, &text, size);
        }
    }

    #[test]
    fn any_tokens(pieces in prop::collection::vec(piece(), 0..60)) {
        let tokens: Vec<Token<'_>> =
            pieces.iter().map(|(piece, logprob)| Token::new(*piece, *logprob)).collect();
        for &form in AnswerForm::ALL {
            // Text that spells a location is not one; the count below is for tokens.
            if form == AnswerForm::Markup {
                parse(form, &tokens, Size::new(640, 480));
            } else {
                check(form, &tokens, Size::new(640, 480));
            }
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
    fn dequantize_of_quantize_is_within_half_a_bin(
        width in 1u32..20_000, height in 1u32..20_000, x in 0.0f32..1.0, y in 0.0f32..1.0,
    ) {
        let quantizer = CoordinateQuantizer::new(Size::new(width, height));
        let point = Point::new(x * width as f32, y * height as f32);
        let back = quantizer.dequantize(quantizer.quantize(point));
        // Half a bin, and what `f32` cannot tell apart at this magnitude.
        let within = |side: u32| side as f32 / 1000.0 / 2.0 * 1.000_1 + side as f32 * 1e-6;
        prop_assert!((back.x - point.x).abs() <= within(width), "{back:?} {point:?}");
        prop_assert!((back.y - point.y).abs() <= within(height), "{back:?} {point:?}");
    }

    #[test]
    fn quantize_of_dequantize_is_the_bin(size in size(), x in 0..BINS, y in 0..BINS) {
        prop_assume!(size.width > 0 && size.height > 0);
        let quantizer = CoordinateQuantizer::new(size);
        prop_assert_eq!(quantizer.quantize(quantizer.dequantize([x, y])), [x, y]);
    }
}
