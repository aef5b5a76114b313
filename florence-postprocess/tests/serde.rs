//! The serialized form of answers, and that they read back.

use florence_postprocess::{
    AnswerForm, Diagnostic, DiagnosticKind, Parsed, Size, Task, parse_text,
};
use serde_json::json;

fn read(form: AnswerForm, text: &str) -> Parsed {
    parse_text(form, text, Size::new(1000, 1000))
}

#[test]
fn boxes_and_diagnostics() {
    let parsed = read(AnswerForm::Boxes, "car<loc_9><loc_2><loc_3><loc_4>door");
    assert_eq!(
        serde_json::to_value(&parsed).unwrap(),
        json!({
            "answer": {
                "form": "boxes",
                "value": [{
                    "label": "car",
                    "bbox": {"x1": 3.5, "y1": 2.5, "x2": 9.5, "y2": 4.5},
                    "confidence": null,
                    "label_confidence": null,
                    "bins": [9, 2, 3, 4],
                }],
            },
            "diagnostics": [
                {"token": 1, "kind": "inverted_corners", "bins": [9, 2, 3, 4]},
                {"token": 5, "kind": "label_without_region", "label": "door"},
            ],
        })
    );
}

#[test]
fn every_form_reads_back() {
    let text = "</s><s>a<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>\
                b<poly><loc_1><loc_2><loc_3><sep><od><unk><loc_1001>";
    for &form in AnswerForm::ALL {
        let parsed = read(form, text);
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(
            serde_json::from_str::<Parsed>(&json).unwrap(),
            parsed,
            "{json}"
        );
    }
}

#[test]
fn tasks_are_their_tokens() {
    for task in Task::ALL {
        let json = serde_json::to_string(task).unwrap();
        assert_eq!(json, format!("{:?}", task.as_str()));
        assert_eq!(serde_json::from_str::<Task>(&json).unwrap(), *task);
        let named = format!("{:?}", task.name());
        assert_eq!(serde_json::from_str::<Task>(&named).unwrap(), *task);
    }
    assert!(serde_json::from_str::<Task>("\"objects\"").is_err());
}

#[test]
fn names_of_diagnostics_stay() {
    let size = Size::new(640, 480);
    let diagnostic = Diagnostic::new(0, DiagnosticKind::RegionLooksNormalized { size });
    let json = json!({
        "token": 0,
        "kind": "region_looks_normalised",
        "size": {"width": 640, "height": 480},
    });
    assert_eq!(serde_json::to_value(&diagnostic).unwrap(), json);
    assert_eq!(
        serde_json::from_value::<Diagnostic>(json).unwrap(),
        diagnostic
    );
}

#[cfg(feature = "compat")]
#[test]
fn dicts_keep_their_order() {
    use florence_postprocess::compat;

    let text = "</s><s>car<loc_1><loc_2><loc_3><loc_4></s>";
    for task in ["<OD>", "<OPEN_VOCABULARY_DETECTION>", "<OCR>"] {
        let dict = compat::microsoft::post_process(text, task, Size::new(640, 480));
        let json = serde_json::to_string(&dict).unwrap();
        assert_eq!(json, dict.to_string());
        assert_eq!(serde_json::from_str::<compat::Value>(&json).unwrap(), dict);
    }
    assert!(serde_json::from_str::<compat::Value>("null").is_err());
    assert!(serde_json::from_str::<compat::Value>("18446744073709551615").is_err());
}
