//! The serialized form of options.

use florence_export::{CocoResultKind, CocoSegmentation, YoloTask};
use serde_json::json;

#[test]
fn options_are_spelled_in_snake_case() {
    let counts = CocoSegmentation::CompressedCounts;
    let options = json!(["compressed_counts", "masks", "segment"]);
    assert_eq!(
        serde_json::to_value((counts, CocoResultKind::Masks, YoloTask::Segment)).unwrap(),
        options
    );
    let read: (CocoSegmentation, CocoResultKind, YoloTask) =
        serde_json::from_value(options).unwrap();
    assert_eq!(read.0, counts);
}
