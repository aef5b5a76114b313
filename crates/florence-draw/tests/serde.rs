//! Marks and styles are stored and read back.

use florence_draw::{Mark, Style};
use florence_postprocess::BBox;
use serde_json::json;

#[test]
fn marks_read_back() {
    let bbox = BBox::new(1.0, 2.0, 3.0, 4.0);
    let mark = Mark::new(bbox).with_label("car").with_confidence(0.5);
    let json = serde_json::to_value(&mark).unwrap();
    let value = json!({"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0});
    let shape = json!({"form": "box", "value": value});
    assert_eq!(
        json,
        json!({"shape": shape, "label": "car", "confidence": 0.5})
    );
    assert_eq!(serde_json::from_value::<Mark>(json).unwrap(), mark);
}

#[test]
fn styles_need_not_be_complete() {
    let style = Style::new().with_stroke(5.0).with_labels(false);
    let json = serde_json::to_value(&style).unwrap();
    assert_eq!(serde_json::from_value::<Style>(json).unwrap(), style);
    let part = json!({"stroke": 5.0, "labels": false});
    assert_eq!(serde_json::from_value::<Style>(part).unwrap(), style);
    assert_eq!(
        serde_json::from_str::<Style>("{}").unwrap(),
        Style::default()
    );
}
