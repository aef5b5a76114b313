//! What the typed parser keeps, and what it says about it.

use std::collections::BTreeSet;

use florence_postprocess::{
    Answer, AnswerForm, BBox, DiagnosticKind as Kind, Parsed, Piece, Size, Token, parse, parse_text,
};

fn read(form: AnswerForm, text: &str) -> Parsed {
    parse_text(form, text, Size::new(1000, 1000))
}

fn kinds(parsed: &Parsed) -> Vec<Kind> {
    parsed
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.kind.clone())
        .collect()
}

#[test]
fn text_before_a_newline_in_an_ocr_label_stays() {
    let eight = "<loc_1>".repeat(8);
    let parsed = read(AnswerForm::Quads, &format!("</s><s>one\ntwo{eight}</s>"));
    assert_eq!(parsed.answer.text_regions()[0].text, "one\ntwo");
    assert!(parsed.diagnostics.is_empty());
}

#[test]
fn the_first_ocr_label_has_no_end_token() {
    let eight = "<loc_1>".repeat(8);
    let parsed = read(AnswerForm::Quads, &format!("</s><s>STOP{eight}</s>"));
    assert_eq!(parsed.answer.text_regions()[0].text, "STOP");
}

#[test]
fn a_box_whose_label_holds_a_newline_stays() {
    let parsed = read(
        AnswerForm::Boxes,
        "</s><s>a\nb<loc_1><loc_2><loc_3><loc_4></s>",
    );
    assert_eq!(parsed.answer.detections()[0].label, "a\nb");
    assert!(parsed.diagnostics.is_empty());
}

#[test]
fn labels_keep_their_accents() {
    let parsed = read(
        AnswerForm::Boxes,
        "</s><s>café 日本<loc_1><loc_2><loc_3><loc_4></s>",
    );
    assert_eq!(parsed.answer.detections()[0].label, "café 日本");
}

#[test]
fn boxes_and_polygons_stand_side_by_side() {
    let parsed = read(
        AnswerForm::BoxesOrPolygons,
        "</s><s>arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></poly>\
         head<loc_1><loc_2><loc_3><loc_4></s>",
    );
    let Answer::BoxesOrPolygons(found) = &parsed.answer else {
        unreachable!()
    };
    assert_eq!(found.instances[0].label, "arms");
    assert_eq!(found.detections[0].label, "head");
    assert!(parsed.diagnostics.is_empty());
}

#[test]
fn a_second_polygon_that_is_cut_off_stays() {
    let parsed = read(
        AnswerForm::BoxesOrPolygons,
        "</s><s>arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></poly>\
         <poly><loc_20><loc_20><loc_29><loc_20><loc_29><loc_29></s>",
    );
    assert_eq!(parsed.answer.instances().len(), 2);
    assert!(
        parsed
            .answer
            .instances()
            .iter()
            .all(|instance| instance.label == "arms")
    );
    assert_eq!(kinds(&parsed), [Kind::UnclosedPolygon]);
    assert_eq!(parsed.diagnostics[0].token, 11);
}

#[test]
fn a_phrase_without_its_box_keeps_its_name_to_itself() {
    let parsed = read(
        AnswerForm::Phrases,
        "</s><s>a dog<loc_1><loc_2><loc_3>a cat<loc_4><loc_5><loc_6><loc_7></s>",
    );
    let phrases = parsed.answer.phrases();
    assert_eq!(
        (phrases[0].phrase.as_str(), phrases[0].regions.len()),
        ("a dog", 0)
    );
    assert_eq!(
        (phrases[1].phrase.as_str(), phrases[1].regions.len()),
        ("a cat", 1)
    );
    assert_eq!(
        kinds(&parsed),
        [Kind::IncompleteBox {
            label: "a dog".to_owned(),
            bins: vec![1, 2, 3]
        }]
    );
}

#[test]
fn a_label_applies_to_every_box_up_to_the_next() {
    let parsed = read(
        AnswerForm::Boxes,
        "</s><s>wheel<loc_1><loc_2><loc_3><loc_4> <loc_5><loc_6><loc_7><loc_8>car\
         <loc_1><loc_2><loc_3><loc_4></s>",
    );
    let labels: Vec<&str> = parsed
        .answer
        .detections()
        .iter()
        .map(|found| found.label.as_str())
        .collect();
    assert_eq!(labels, ["wheel", "wheel", "car"]);
}

#[test]
fn inverted_corners_are_put_in_order_and_kept() {
    let parsed = read(
        AnswerForm::Boxes,
        "</s><s>x<loc_9><loc_8><loc_7><loc_6></s>",
    );
    let found = &parsed.answer.detections()[0];
    assert_eq!(found.bbox, BBox::new(7.5, 6.5, 9.5, 8.5));
    assert_eq!(found.bins, [9, 8, 7, 6]);
    assert_eq!(
        kinds(&parsed),
        [Kind::InvertedCorners { bins: [9, 8, 7, 6] }]
    );
}

#[test]
fn locations_beyond_the_bins_are_clamped_and_kept() {
    let parsed = read(
        AnswerForm::Boxes,
        "</s><s>x<loc_0><loc_0><loc_1000><loc_99999></s>",
    );
    let found = &parsed.answer.detections()[0];
    assert_eq!(found.bbox, BBox::new(0.5, 0.5, 999.5, 999.5));
    assert_eq!(found.bins, [0, 0, 1000, 65535]);
    assert_eq!(
        kinds(&parsed),
        [
            Kind::LocationOutOfRange { bin: 1000 },
            Kind::LocationOutOfRange { bin: 65535 }
        ]
    );
}

#[test]
fn every_leftover_is_named() {
    for (form, text, expected) in [
        (
            AnswerForm::Boxes,
            "</s><s>car<loc_1><loc_2><loc_3><loc_4>doo",
            vec![
                Kind::LabelWithoutRegion {
                    label: "doo".to_owned(),
                },
                Kind::Truncated,
            ],
        ),
        (
            AnswerForm::Boxes,
            "<loc_1><loc_2><loc_3><loc_4>",
            vec![Kind::RegionWithoutLabel],
        ),
        (
            AnswerForm::Boxes,
            "a<od><loc_1><loc_2><loc_3><loc_4>",
            vec![Kind::UnexpectedMarker {
                marker: "<od>".to_owned(),
            }],
        ),
        (
            AnswerForm::Proposals,
            "a<loc_1><loc_2><loc_3><loc_4><loc_5>",
            vec![
                Kind::UnexpectedText {
                    text: "a".to_owned(),
                },
                Kind::IncompleteBox {
                    label: "a".to_owned(),
                    bins: vec![5],
                },
            ],
        ),
        (
            AnswerForm::Quads,
            "a<loc_1><loc_2><loc_3><loc_4><loc_5>",
            vec![Kind::IncompleteQuad {
                text: "a".to_owned(),
                bins: vec![1, 2, 3, 4, 5],
            }],
        ),
        (
            AnswerForm::Text,
            "</s><s>a <loc_1><loc_2> b<sep>c</s>",
            vec![
                Kind::UnexpectedLocations { bins: vec![1, 2] },
                Kind::UnexpectedMarker {
                    marker: "<sep>".to_owned(),
                },
            ],
        ),
        (
            AnswerForm::Text,
            "</s><s>a</s>b<unk></s><pad>",
            vec![
                Kind::ContentAfterEnd,
                Kind::UnexpectedControl {
                    control: "<unk>".to_owned(),
                },
            ],
        ),
        (
            AnswerForm::Polygons,
            "<poly></poly>",
            vec![Kind::EmptyInstance {
                label: String::new(),
            }],
        ),
        (
            AnswerForm::Polygons,
            "<loc_1><loc_2><loc_3></poly><sep>",
            vec![
                Kind::OddCoordinate { bin: 3 },
                Kind::UnexpectedMarker {
                    marker: "</poly>".to_owned(),
                },
                Kind::UnexpectedMarker {
                    marker: "<sep>".to_owned(),
                },
            ],
        ),
        (
            AnswerForm::BoxesOrPolygons,
            "arms<poly>legs",
            vec![
                Kind::UnclosedPolygon,
                Kind::EmptyInstance {
                    label: "arms".to_owned(),
                },
                Kind::LabelWithoutRegion {
                    label: "legs".to_owned(),
                },
            ],
        ),
    ] {
        let parsed = read(form, text);
        let ours: Vec<Kind> = kinds(&parsed)
            .into_iter()
            .filter(|kind| !matches!(kind, Kind::DegeneratePolygon { .. }))
            .collect();
        let names = |kinds: &[Kind]| -> BTreeSet<String> {
            kinds.iter().map(|kind| format!("{kind:?}")).collect()
        };
        assert_eq!(names(&ours), names(&expected), "{form} of {text:?}");
    }
}

#[test]
fn half_characters_are_put_together() {
    let pieces = [
        Piece::Text(b" caf\xc3"),
        Piece::Text(b"\xa9 "),
        Piece::Location(1),
    ];
    let tokens = pieces.map(Token::from);
    let parsed = parse(AnswerForm::Boxes, &tokens, Size::new(10, 10));
    assert_eq!(
        kinds(&parsed),
        [Kind::IncompleteBox {
            label: "café".to_owned(),
            bins: vec![1]
        }]
    );
}

#[test]
fn bytes_that_are_not_utf8_are_shown_and_diagnosed() {
    let pieces = [Piece::Text(b"a"), Piece::Text(b"\xff"), Piece::Text(b"b")];
    let parsed = parse(
        AnswerForm::Text,
        &pieces.map(Token::from),
        Size::new(10, 10),
    );
    assert_eq!(parsed.answer.text(), Some("a\u{fffd}b"));
    assert_eq!(kinds(&parsed), [Kind::InvalidUtf8]);
    assert_eq!(parsed.diagnostics[0].token, 1);
}

#[test]
fn markup_spells_everything_out() {
    let parsed = read(AnswerForm::Markup, "</s><s>a<od><loc_7> b</s>");
    assert_eq!(parsed.answer.text(), Some("a<od><loc_7> b"));
    assert!(parsed.diagnostics.is_empty());
}

#[test]
fn the_confidence_of_a_text_leaves_out_whitespace_around_it() {
    let tokens = [
        Token::new(Piece::Control("<s>"), Some(-9.0)),
        Token::new(Piece::Text(b" "), Some(-9.0)),
        Token::new(Piece::Text(b"a"), Some(-0.5)),
        Token::new(Piece::Text(b" b"), Some(-1.5)),
        Token::new(Piece::Control("</s>"), Some(-9.0)),
    ];
    let parsed = parse(AnswerForm::Text, &tokens, Size::new(10, 10));
    let Answer::Text(text) = parsed.answer else {
        unreachable!()
    };
    assert_eq!(text.text, "a b");
    assert_eq!(text.confidence, Some((-1.0f64).exp() as f32));
}

#[test]
fn a_text_answer_without_text_is_diagnosed() {
    for (text, more) in [
        ("", vec![]),
        ("<s>", vec![Kind::Truncated]),
        ("</s><s></s>", vec![]),
        ("</s><s> \n\u{2009}</s><pad>", vec![]),
        ("<s><s></s>", vec![]),
        (
            "<loc_7></s>",
            vec![Kind::UnexpectedLocations { bins: vec![7] }],
        ),
    ] {
        let parsed = read(AnswerForm::Text, text);
        assert_eq!(parsed.answer.text(), Some(""));
        let found = kinds(&parsed);
        assert_eq!(
            found
                .iter()
                .filter(|kind| **kind == Kind::EmptyAnswer)
                .count(),
            1,
            "{text}"
        );
        assert!(more.iter().all(|kind| found.contains(kind)), "{found:?}");
        assert_eq!(found.len(), 1 + more.len());
    }
    assert!(kinds(&read(AnswerForm::Text, "</s><s>.</s>")).is_empty());
    // Nothing found is no oddity.
    assert!(kinds(&read(AnswerForm::Boxes, "</s><s></s>")).is_empty());
}
