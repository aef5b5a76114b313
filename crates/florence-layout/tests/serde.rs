//! Pages and options are stored and read back.

use florence_layout::{Page, TextOptions};
use florence_postprocess::{QuadBox, Size, TextRegion};
use serde_json::json;

#[test]
fn pages_read_back() {
    let quad = QuadBox::from([10.0, 10.0, 90.0, 10.0, 90.0, 30.0, 10.0, 30.0]);
    let regions = [TextRegion::new("1. eggs", quad).with_confidence(0.5)];
    let page = Page::from_regions(&regions, Size::new(100, 100));
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<Page>(&json).unwrap(), page);
}

#[test]
fn options_need_not_be_complete() {
    let options = TextOptions::new().with_dehyphenation(false);
    let json = json!({"mend_hyphens": false, "join_columns": true});
    assert_eq!(serde_json::to_value(options).unwrap(), json);
    assert_eq!(
        serde_json::from_value::<TextOptions>(json).unwrap(),
        options
    );
    let part = json!({"mend_hyphens": false});
    assert_eq!(
        serde_json::from_value::<TextOptions>(part).unwrap(),
        options
    );
}
