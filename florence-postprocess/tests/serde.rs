//! The shape of serialised answers, and that they read back.

#![cfg(feature = "serde")]

use florence_postprocess::{AnswerForm, Parsed, Size, parse_text};
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
    for form in AnswerForm::ALL {
        let parsed = read(form, text);
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(
            serde_json::from_str::<Parsed>(&json).unwrap(),
            parsed,
            "{json}"
        );
    }
}
