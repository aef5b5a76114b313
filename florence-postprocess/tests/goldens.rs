//! The reference post-processors, case for case.
//!
//! `data/golden.json`: 63 published generations with the result of Microsoft's processor.
//! `data/matrix_*.jsonl`: 33 texts × 15 tasks × 5 sizes with the results of Microsoft's processor
//! and of transformers 5.23. `data/golden_scores_head.json`: scores for given log-probabilities.

use std::path::Path;

use florence_postprocess::compat::{self, to_python_json};
use florence_postprocess::{
    AnswerForm, Piece, Size, Token, parse, parse_text, raw_text, split_text,
};
use serde_json::Value;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text under {key:?} in {case}"))
}

fn size(case: &Value) -> Size {
    let side = |index: usize| case["image_size"][index].as_u64().unwrap() as u32;
    Size::new(side(0), side(1))
}

/// A value of the reference's JSON, keys in order.
fn value(json: &Value) -> compat::Value {
    match json {
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().unwrap().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| (key.clone(), value(item)));
            compat::Value::Dict(entries.collect())
        }
        Value::Null | Value::Bool(_) => panic!("no reference gives {json}"),
    }
}

type PostProcess = fn(&str, &str, Size) -> compat::Value;

fn check(case: &Value, expected: &str, post_process: PostProcess) {
    let (raw, task) = (text(case, "raw_text"), text(case, "task"));
    let ours = post_process(raw, task, size(case));
    let about = || format!("{task} of {raw:?} at {}", size(case));
    assert_eq!(ours, value(&case[expected]), "{}", about());
    assert_eq!(ours.to_string(), case[expected].to_string(), "{}", about());
    let python = to_python_json(&ours);
    assert_eq!(
        serde_json::from_str::<Value>(&python).unwrap(),
        case[expected],
        "{}",
        about()
    );
}

#[test]
fn published_generations() {
    let cases: Vec<Value> = serde_json::from_str(&read("golden.json")).unwrap();
    assert_eq!(cases.len(), 63);
    for case in &cases {
        check(case, "parsed", compat::microsoft::post_process);
    }
}

#[test]
fn microsoft_matrix() {
    let lines = read("matrix_microsoft.jsonl");
    assert_eq!(lines.lines().count(), 2475);
    for line in lines.lines() {
        check(
            &serde_json::from_str(line).unwrap(),
            "parsed",
            compat::microsoft::post_process,
        );
    }
}

#[test]
fn transformers_matrix() {
    let lines = read("matrix_transformers.jsonl");
    assert_eq!(lines.lines().count(), 2475);
    for line in lines.lines() {
        let case = serde_json::from_str(line).unwrap();
        check(&case, "parsed_native", compat::transformers::post_process);
    }
}

/// The tokens of a case of `golden_scores_head.json`, behind the start token.
fn scored_tokens(case: &Value) -> Vec<Token<'_>> {
    let decoded = text(case, "decoded");
    let starts: Vec<usize> = decoded
        .char_indices()
        .map(|(byte, _)| byte)
        .chain([decoded.len()])
        .collect();
    let spans = case["spans"].as_array().unwrap();
    let scores = case["transition_scores"].as_array().unwrap();
    assert_eq!(spans.len(), scores.len());
    spans
        .iter()
        .zip(scores)
        .map(|(span, score)| {
            let at = |index: usize| starts[span[index].as_u64().unwrap() as usize];
            let pieces = split_text(&decoded[at(0)..at(1)]);
            assert!(pieces.len() <= 1);
            let piece = pieces.first().copied().unwrap_or(Piece::Text(b""));
            Token::new(piece, Some(score.as_f64().unwrap() as f32))
        })
        .collect()
}

#[test]
fn scores_of_the_reference() {
    let cases: Vec<Value> = serde_json::from_str(&read("golden_scores_head.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let task = text(case, "task");
        let tokens = scored_tokens(case);
        assert_eq!(raw_text(&tokens), text(case, "decoded"));
        let ours = compat::microsoft::post_process_with_scores(&tokens, task, size(case));
        let expected = &case["parsed"];
        for key in [
            "bboxes",
            "labels",
            "bboxes_labels",
            "polygons",
            "polygons_labels",
        ] {
            assert_eq!(
                ours[task].get(key).cloned(),
                expected[task].get(key).map(value),
                "{key} of {task}"
            );
        }
        let scores = |dict: &compat::Value| -> Option<Vec<f64>> {
            let scores = dict[task].get("scores")?.as_list().unwrap();
            Some(scores.iter().map(|score| score.as_f64().unwrap()).collect())
        };
        assert_eq!(scores(&ours), scores(&value(expected)), "{task}");
    }
}

#[test]
fn typed_confidences_are_the_scores_of_the_reference() {
    let cases: Vec<Value> = serde_json::from_str(&read("golden_scores_head.json")).unwrap();
    for case in &cases {
        let Some(scores) = case["parsed"][text(case, "task")].get("scores") else {
            continue;
        };
        // With more than one `<s>` the reference looks at the wrong tokens.
        if text(case, "decoded").starts_with("<s><s>") {
            continue;
        }
        let parsed = parse(AnswerForm::Boxes, &scored_tokens(case), size(case));
        let ours: Vec<f32> = parsed
            .answer
            .detections()
            .iter()
            .map(|found| found.confidence.unwrap())
            .collect();
        let expected: Vec<f32> = scores
            .as_array()
            .unwrap()
            .iter()
            .map(|score| score.as_f64().unwrap() as f32)
            .collect();
        assert_eq!(ours, expected, "{case}");
    }
}

/// Where an answer has no diagnostics, the typed boxes are the reference's.
#[test]
fn typed_boxes_of_published_generations() {
    let cases: Vec<Value> = serde_json::from_str(&read("golden.json")).unwrap();
    let mut compared = 0;
    for case in &cases {
        let task = text(case, "task");
        if !["<OD>", "<DENSE_REGION_CAPTION>"].contains(&task) {
            continue;
        }
        let parsed = parse_text(AnswerForm::Boxes, text(case, "raw_text"), size(case));
        if !parsed.diagnostics.is_empty() {
            continue;
        }
        let expected = &case["parsed"][task];
        let detections = parsed.answer.detections();
        assert_eq!(
            detections.len(),
            expected["bboxes"].as_array().unwrap().len()
        );
        for (index, detection) in detections.iter().enumerate() {
            assert_eq!(detection.label, expected["labels"][index].as_str().unwrap());
            for (side, value) in detection.bbox.to_array().into_iter().enumerate() {
                assert_eq!(
                    expected["bboxes"][index][side].as_f64(),
                    Some(f64::from(value))
                );
            }
        }
        compared += detections.len();
    }
    assert!(compared > 20, "{compared}");
}
