//! Answers for the tests of totality: those of the goldens, and random ones.

use std::path::Path;

use florence_postprocess::{Piece, Size};
use proptest::prelude::*;

/// The distinct texts of the golden files.
pub(crate) fn golden_texts() -> Vec<String> {
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

pub(crate) fn fragment() -> impl Strategy<Value = String> {
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

pub(crate) fn piece() -> impl Strategy<Value = (Piece<'static>, Option<f32>)> {
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

pub(crate) fn size() -> impl Strategy<Value = Size> {
    let side = || prop_oneof![4 => 1u32..5000, 1 => 0u32..4, 1 => any::<u32>()];
    (side(), side()).prop_map(Size::from)
}
