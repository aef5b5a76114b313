//! `data.yaml` as people and other tools write it.
#![cfg(feature = "yaml")]

use florence_export::{Categories, YoloData, YoloDataError, yolo_data};
use proptest::prelude::*;

fn grown(text: &str, names: &[&str]) -> String {
    let data = YoloData::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let grown = data.with_names(names.iter().copied());
    let grown = grown.unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut expected = data.names().to_vec();
    expected.extend(names.iter().map(|name| (*name).to_owned()));
    assert_eq!(grown.names(), expected, "{text}");
    assert_eq!(
        YoloData::parse(grown.text()).unwrap().names(),
        expected,
        "{text}"
    );
    grown.text().to_owned()
}

#[test]
fn classes_are_added_in_the_style_of_the_file() {
    let cases = [
        // Ultralytics' own: a map, comments, absolute paths.
        (
            "# COCO8\npath: coco8 # root\ntrain: images/train\n\n# Classes\nnames:\n  0: person # first\n  1: bicycle\n\n# Download\ndownload: https://x/coco8.zip\n",
            "# COCO8\npath: coco8 # root\ntrain: images/train\n\n# Classes\nnames:\n  0: person # first\n  1: bicycle\n  2: \"dog\"\n\n# Download\ndownload: https://x/coco8.zip\n",
        ),
        // Roboflow's: a flow list and a count.
        (
            "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['head', \"helm, et\"]\n\nroboflow:\n  version: 3\n",
            "train: ../train/images\nval: ../valid/images\n\nnc: 3\nnames: ['head', \"helm, et\", \"dog\"]\n\nroboflow:\n  version: 3\n",
        ),
        // Flow lists over several lines, with a comma at the end.
        (
            "names: [\n  car, # one\n  door,\n]\nnc: 2",
            "names: [\n  car, # one\n  door, \"dog\",\n]\nnc: 3",
        ),
        (
            "names: {0: car, 1: door}\n",
            "names: {0: car, 1: door, 2: \"dog\"}\n",
        ),
        // PyYAML's dump: dashes without indent.
        (
            "names:\n- car\n- 'it''s'\nnc: 2\n",
            "names:\n- car\n- 'it''s'\n- \"dog\"\nnc: 3\n",
        ),
        (
            "names:\n  - car\nval: x",
            "names:\n  - car\n  - \"dog\"\nval: x",
        ),
        // No line end, Windows' line ends, numbers out of order.
        ("names:\n  0: car", "names:\n  0: car\n  1: \"dog\""),
        (
            "nc: 1\r\nnames:\r\n  0: car\r\nval: x\r\n",
            "nc: 2\r\nnames:\r\n  0: car\r\n  1: \"dog\"\r\nval: x\r\n",
        ),
        (
            "names:\n  1: b\n  0: a\nx: 1\n",
            "names:\n  1: b\n  0: a\n  2: \"dog\"\nx: 1\n",
        ),
        // None yet.
        ("names: {}\nval: x\n", "names:\n  0: \"dog\"\nval: x\n"),
        (
            "names: []  # none\nval: x\n",
            "names:\n  0: \"dog\"  # none\nval: x\n",
        ),
        ("names:\nval: x\n", "names:\n  0: \"dog\"\nval: x\n"),
        ("val: x\nnames: ~\n", "val: x\nnames:\n  0: \"dog\"\n"),
        // JSON is YAML.
        (
            "{\"nc\": 1, \"names\": [\"car\"], \"val\": \"x\"}",
            "{\"nc\": 2, \"names\": [\"car\", \"dog\"], \"val\": \"x\"}",
        ),
        ("{names: [], val: x}", "{names: [\"dog\"], val: x}"),
        // Keys and names in other scripts, which are more bytes than characters.
        (
            "straße: ü\nnames: ['猫', Öl]\n",
            "straße: ü\nnames: ['猫', Öl, \"dog\"]\n",
        ),
        ("---\nnames: [car]\n", "---\nnames: [car, \"dog\"]\n"),
    ];
    for (before, after) in cases {
        assert_eq!(grown(before, &["dog"]), after);
        // Again and again.
        let more = grown(after, &["a: b # c", "\"q\" \\ \n \u{85}", "no", ""]);
        grown(&more, &["last"]);
    }
}

#[test]
fn names_are_read_as_they_stand() {
    let names = |text: &str| YoloData::parse(text).unwrap().names().to_vec();
    assert_eq!(
        names("names: [no, 7, 1.50, true, ' a ']"),
        ["no", "7", "1.50", "true", " a "]
    );
    assert_eq!(
        names("names:\n- |\n  two\n  lines\n- b\n"),
        ["two\nlines\n", "b"]
    );
    assert_eq!(names("\u{feff}names: [a]\n"), ["a"]);
}

#[test]
fn what_our_own_writer_wrote_goes_on() {
    let labels = [
        "car",
        "two\nlines",
        "- yaml: [no] # null",
        " spaces ",
        "猫 \u{7}\u{2028}",
        "",
    ];
    let text = yolo_data(".", "images", "images", &Categories::closed(labels));
    assert_eq!(YoloData::parse(text.as_str()).unwrap().names(), labels);
    assert_eq!(grown(&text, &["dog"]), format!("{text}  6: \"dog\"\n"));
    let empty = yolo_data("", "images/train", "images/val", &Categories::open());
    assert!(!empty.contains("path"));
    assert_eq!(
        grown(&empty, &["dog"]),
        empty.replace(" {}", "\n  0: \"dog\"")
    );
}

#[test]
fn what_cannot_be_continued_is_refused_by_name() {
    let refused = |text: &str, words: &[&str]| {
        let data = YoloData::parse(text);
        let error = data
            .and_then(|data| data.with_names(["dog"]))
            .unwrap_err()
            .to_string();
        for word in words {
            assert!(error.contains(word), "{text}: {error}");
        }
    };
    refused("names: [a\nx: y: z", &["not YAML"]);
    refused("\t\n\"", &[""]);
    refused("", &["a map", "names"]);
    refused("- a\n- b\n", &["a map"]);
    refused("train: x\nnc: 80\n", &["names"]);
    refused("names: coco.names\n", &["a list, or a map"]);
    refused("names: [a, [b]]\n", &["a text"]);
    refused("names: {0: a, 1: {b: c}}\n", &["a text"]);
    refused("names: [a, ~]\n", &["a text"]);
    refused("names: {a: 0, b: 1}\n", &["numbered", "\"a\""]);
    refused("names: {0: a, 0: b}\n", &["numbered once"]);
    refused("names: {0: a, 2: b}\n", &["without a gap", "1"]);
    refused("names: {-1: a}\n", &["numbered", "-1"]);
    refused("names: [a]\nnc: 2\n", &["`nc` is 2", "1 `names`"]);
    refused("names: [a]\nnc: [1]\n", &["number", "nc"]);
    refused("names: [a]\nnames: [b]\n", &["once"]);
    refused("names: [a]\n---\nnames: [b]\n", &["one document"]);
    refused("x: &x [a]\nnames: *x\n", &["a list"]);
}

#[test]
fn a_hostile_file_costs_little() {
    let deep = format!("names: {}", "[".repeat(100_000));
    assert!(YoloData::parse(deep).is_err());
    let laughs: String = (1..40)
        .map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1))
        .collect();
    let data = YoloData::parse(format!("a0: &a0 x\n{laughs}names: [car]\n")).unwrap();
    assert_eq!(data.names(), ["car"]);
    assert!(matches!(
        YoloData::parse("x".repeat((64 << 20) + 1)),
        Err(YoloDataError::Form { .. })
    ));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-c0-2:,\\[\\]{}\"'#&*|>~?! \n\r\t-]{0,40}") {
        for text in [text.clone(), format!("names: {text}"), format!("names:\n{text}")] {
            if let Ok(data) = YoloData::parse(text)
                && let Ok(grown) = data.with_names(["new: \"one\"", "2"])
            {
                let all: Vec<_> = data.names().iter().map(String::as_str).chain(["new: \"one\"", "2"]).collect();
                prop_assert_eq!(grown.names(), all);
            }
        }
    }

    #[test]
    fn any_name_comes_back(names in prop::collection::vec(any::<String>(), 1..5)) {
        for start in ["names: {}\n", "names: [a]\n", "names:\n- a\n"] {
            let data = YoloData::parse(start).unwrap().with_names(names.clone()).unwrap();
            let read = YoloData::parse(data.text()).unwrap();
            prop_assert!(read.names().ends_with(&names));
        }
    }
}
