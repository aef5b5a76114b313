//! The tokenizer against the reference's, on the published files and on what
//! training scripts make of them.

mod common;

use common::{bytes, outside, read_data, read_json, tiny_tokenizer};
use florence_core::{Error, Segment, TokenKind, Tokenizer};
use serde_json::{Value, json};

fn published() -> Tokenizer {
    Tokenizer::from_parts(&read_data("tokenizer/tokenizer.json"), None).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn golden_prompts_and_texts() {
    let tokenizer = published();
    let golden = read_json("golden_tokenizer.json");
    let mut cases = 0;
    for case in golden["prompts"].as_array().unwrap() {
        let text = case["constructed"].as_str().unwrap();
        assert_eq!(
            tokenizer.encode(text).unwrap(),
            ids(&case["input_ids"]),
            "{text:?}"
        );
        cases += 1;
    }
    for case in golden["texts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let encoded = tokenizer.encode(text).unwrap();
        assert_eq!(encoded, ids(&case["ids"]), "{text:?}");
        assert_eq!(
            encoded[1..encoded.len() - 1],
            ids(&case["ids_no_special"]),
            "{text:?}"
        );
        assert_eq!(
            tokenizer.decode(&encoded),
            case["decode"].as_str().unwrap(),
            "{text:?}"
        );
        for (token, id) in case["tokens"].as_array().unwrap().iter().zip(&encoded) {
            assert_eq!(tokenizer.token_id(token.as_str().unwrap()), Some(*id));
        }
        cases += 1;
    }
    let batch = &golden["padded_batch"];
    for (text, row) in batch["texts"]
        .as_array()
        .unwrap()
        .iter()
        .zip(batch["input_ids"].as_array().unwrap())
    {
        let mut encoded = tokenizer.encode(text.as_str().unwrap()).unwrap();
        let row = ids(row);
        encoded.resize(row.len(), tokenizer.pad_id());
        assert_eq!(encoded, row);
    }
    assert_eq!(cases, 63);
}

/// Regenerate with the reference tokenizer: every text of `golden_decode.json`
/// through `tokenizer.encode` and `tokenizer.decode(skip_special_tokens=False)`
/// of transformers 5.23; `plain` is the same file without its added tokens.
#[test]
fn hard_texts_and_impossible_id_sequences() {
    let tokenizer = published();
    let golden = read_json("golden_decode.json");
    for case in golden["texts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let encoded = tokenizer.encode(text).unwrap();
        assert_eq!(encoded, ids(&case["ids"]), "{text:?}");
        assert_eq!(
            tokenizer.decode(&encoded),
            case["decode"].as_str().unwrap(),
            "{text:?}"
        );
    }
    for case in golden["plain"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let encoded = tokenizer.encode_segments(&[Segment::Text(text)]).unwrap();
        assert_eq!(encoded[1..encoded.len() - 1], ids(&case["ids"]), "{text:?}");
        assert_eq!(tokenizer.decode(&encoded), format!("<s>{text}</s>"));
    }
    for case in golden["ids"].as_array().unwrap() {
        let sequence = ids(&case["ids"]);
        assert_eq!(
            tokenizer.decode(&sequence),
            case["decode"].as_str().unwrap(),
            "{sequence:?}"
        );
    }
}

#[test]
#[ignore = "reads fixtures that are not in the repository, from the folder FLORENCE_FIXTURES"]
fn published_generations_survive_a_round_trip() {
    let path = outside("golden/golden_published.json");
    let tokenizer = published();
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut seen = 0;
    let list = golden.as_array().cloned().unwrap_or_else(|| {
        golden
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_array)
            .flatten()
            .cloned()
            .collect()
    });
    for case in list {
        let Some(text) = case.get("raw_text").and_then(Value::as_str) else {
            continue;
        };
        let encoded = tokenizer.encode(text).unwrap();
        assert_eq!(tokenizer.decode(&encoded[1..encoded.len() - 1]), text);
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn added_tokens_json_of_a_fine_tune() {
    let file = read_data("tokenizer/tokenizer.json");
    let mut map = read_json("tokenizer/added_tokens.json");
    let plain = Tokenizer::from_parts(&file, Some(&bytes(&map))).unwrap();
    assert_eq!(plain.vocab_size(), 51_289);
    for (i, token) in ["<panel>", "<text>", "<character>", "plainword"]
        .into_iter()
        .enumerate()
    {
        map[token] = json!(51_289 + i);
    }
    let tokenizer = Tokenizer::from_parts(&file, Some(&bytes(&map))).unwrap();
    assert_eq!(tokenizer.vocab_size(), 51_293);
    assert_eq!(tokenizer.token(51_289), TokenKind::Marker("<panel>"));
    assert_eq!(tokenizer.token(51_292), TokenKind::Text(b"plainword"));
    assert_eq!(
        tokenizer.encode("<text><and>").unwrap(),
        [0, 51_290, 51_288, 2]
    );

    map["<gap>"] = json!(60_000);
    assert_eq!(
        Tokenizer::from_parts(&file, Some(&bytes(&map)))
            .unwrap_err()
            .to_string(),
        "added_tokens.json: token \"<gap>\" is listed with id 60000, but would get 51293: ids must \
         continue the vocabulary without a gap"
    );
}

#[test]
#[ignore = "reads fixtures that are not in the repository, from the folder FLORENCE_FIXTURES"]
fn real_fine_tune_lists() {
    let file = read_data("tokenizer/tokenizer.json");
    for (name, size) in [("magiv3", 51_293), ("base-ft-finetuned-saved", 51_289)] {
        let path = outside(&format!("config/{name}/added_tokens.json"));
        let tokenizer = Tokenizer::from_parts(&file, Some(&std::fs::read(path).unwrap())).unwrap();
        assert_eq!(tokenizer.vocab_size(), size);
        assert_eq!(tokenizer.location_id(999), Some(51_268));
    }
}

/// A native checkpoint's file holds everything itself, `<image>` too, with its
/// merges as pairs.
#[test]
fn a_complete_file_with_merge_pairs_is_taken_as_it_is() {
    let mut file = read_json("tokenizer/tokenizer.json");
    let merges: Vec<Value> = file["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!(m.as_str().unwrap().split(' ').collect::<Vec<_>>()))
        .collect();
    file["model"]["merges"] = json!(merges);
    let mut added: Vec<(String, u64)> = serde_json::from_value::<
        std::collections::BTreeMap<String, u64>,
    >(read_json("tokenizer/added_tokens.json"))
    .unwrap()
    .into_iter()
    .collect();
    added.push(("<image>".to_owned(), 51_289));
    added.sort_by_key(|(_, id)| *id);
    for (content, id) in added {
        file["added_tokens"].as_array_mut().unwrap().push(json!({
            "id": id, "content": content, "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        }));
    }
    let tokenizer = Tokenizer::from_parts(&bytes(&file), None).unwrap();
    assert_eq!(tokenizer.vocab_size(), 51_290);
    assert_eq!(tokenizer.token(51_289), TokenKind::Marker("<image>"));
    let ours = published();
    for case in read_json("golden_decode.json")["texts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), ours.encode(text).unwrap());
    }
}

#[test]
fn a_small_vocabulary_gets_the_1024_tokens_after_its_own() {
    let tokenizer = Tokenizer::from_parts(&bytes(&tiny_tokenizer()), None).unwrap();
    assert_eq!(tokenizer.vocab_size(), 261 + 1024);
    assert_eq!(tokenizer.token_id("<od>"), Some(261));
    assert_eq!(tokenizer.location_id(0), Some(265));
    assert_eq!(tokenizer.token_id("<and>"), Some(261 + 1023));
    // Saved truncation to 8, padding to 10 and dropout have no effect.
    let long = "a long sentence — with every byte of it kept";
    let encoded = tokenizer.encode(long).unwrap();
    assert_eq!(encoded.len(), long.len() + 2);
    assert_eq!(tokenizer.decode(&encoded[1..=long.len()]), long);
    assert_eq!(tokenizer.encode("").unwrap(), [0, 2]);
}

#[test]
fn every_id_has_a_meaning() {
    let tokenizer = published();
    let (mut text, mut locations, mut markers, mut control) = (0, 0, 0, 0);
    for id in 0..51_289 {
        match tokenizer.token(id) {
            TokenKind::Text(bytes) => {
                assert!(!bytes.is_empty());
                text += 1;
            }
            TokenKind::Location(bin) => {
                assert_eq!(tokenizer.location_id(bin), Some(id));
                locations += 1;
            }
            TokenKind::Marker(_) => markers += 1,
            TokenKind::Control(_) => control += 1,
        }
    }
    assert_eq!((text, locations, markers, control), (50_260, 1000, 24, 5));
    for id in [51_289, 51_327, u32::MAX] {
        assert_eq!(tokenizer.token(id), TokenKind::Control("<unk>"));
        assert_eq!(tokenizer.decode(&[id]), "");
    }
}

#[test]
fn segments_join_text_and_keep_tokens_apart() {
    let tokenizer = published();
    let segments = |s: &[Segment<'_>]| tokenizer.encode_segments(s).unwrap();
    assert_eq!(
        segments(&[
            Segment::Text("Locate the phrases in the caption: "),
            Segment::Text("A green car")
        ]),
        tokenizer
            .encode("Locate the phrases in the caption: A green car")
            .unwrap()
    );
    assert_eq!(
        segments(&[
            Segment::Text("What is the region "),
            Segment::Special("<loc_52>"),
            Segment::Special("<loc_332>"),
            Segment::Text("?"),
        ]),
        tokenizer
            .encode("What is the region <loc_52><loc_332>?")
            .unwrap()
    );
    assert_eq!(
        segments(&[
            Segment::Text("x  "),
            Segment::Special("<mask>"),
            Segment::Text(" y")
        ]),
        tokenizer.encode("x  <mask> y").unwrap()
    );
    assert_eq!(segments(&[]), [0, 2]);
    for text in ["</s>", "<loc_5>", "<s><pad>", "<poly>", "<mask>"] {
        for id in &segments(&[Segment::Text(text)])[1..] {
            assert!(matches!(tokenizer.token(*id), TokenKind::Text(_)) || *id == 2);
        }
    }
    let error = tokenizer
        .encode_segments(&[Segment::Special("<loc_1000>")])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument `segments` is Special(\"<loc_1000>\"), expected a special token of this tokenizer, \
         such as \"<loc_5>\""
    );
    assert!(
        tokenizer
            .encode_segments(&[Segment::Special("world")])
            .is_err()
    );
}

#[test]
fn files_of_other_kinds_are_refused() {
    let refusal = |file: &Value| {
        Tokenizer::from_parts(&bytes(file), None)
            .unwrap_err()
            .to_string()
    };
    for (key, value, expected) in [
        (
            "model",
            json!({"type": "WordPiece", "vocab": {}}),
            "`model` is WordPiece, expected BPE",
        ),
        (
            "pre_tokenizer",
            json!({"type": "Whitespace"}),
            "`pre_tokenizer` is Whitespace, expected ByteLevel",
        ),
        (
            "decoder",
            Value::Null,
            "`decoder` is null, expected ByteLevel",
        ),
        (
            "normalizer",
            json!({"type": "Lowercase"}),
            "`normalizer` is Lowercase, expected null",
        ),
    ] {
        let mut file = tiny_tokenizer();
        file[key] = value;
        let message = refusal(&file);
        assert!(
            message.starts_with(&format!("tokenizer.json: {expected}")),
            "{message}"
        );
    }
    let mut file = tiny_tokenizer();
    file["model"]["vocab"]["!"] = json!(4_000_000_000u64);
    assert_eq!(
        refusal(&file),
        "tokenizer.json: token \"!\" has the id 4000000000, expected 0 to 4194303"
    );
    let mut file = tiny_tokenizer();
    file["added_tokens"][4]["id"] = json!(300);
    assert!(refusal(&file).contains("token \"<mask>\" is listed with id 300, but would get 260"));
    let mut file = tiny_tokenizer();
    file["model"]["merges"] = json!(["a", "b c d"]);
    assert!(refusal(&file).starts_with("tokenizer.json: not a usable tokenizer: "));
    let mut file = tiny_tokenizer();
    file["model"]["vocab"]
        .as_object_mut()
        .unwrap()
        .remove("<s>");
    file["added_tokens"].as_array_mut().unwrap().remove(0);
    assert_eq!(
        refusal(&file),
        "tokenizer.json: no token `<s>`, which BART's vocabulary has"
    );
}

#[test]
fn no_prefix_of_a_tokenizer_panics() {
    let file = bytes(&tiny_tokenizer());
    for len in 0..file.len() {
        let error = Tokenizer::from_parts(&file[..len], None).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{len}");
    }
    for added in ["", "[]", "{\"a\": -1}", "{\"a\": \"b\"}", "{\"\": 1285}"] {
        assert!(
            Tokenizer::from_parts(&file, Some(added.as_bytes())).is_err(),
            "{added}"
        );
    }
}

/// Whatever a byte of the file becomes, there is an answer.
#[test]
fn damage_never_panics() {
    let file = bytes(&tiny_tokenizer());
    for at in (0..file.len()).step_by(3) {
        for flip in [0x01, 0x10, 0x80] {
            let mut bad = file.clone();
            bad[at] ^= flip;
            if let Ok(tokenizer) = Tokenizer::from_parts(&bad, None) {
                let ids = tokenizer.encode("a <loc_5></s> 🐆 é").unwrap();
                let _ = tokenizer.decode(&ids);
            }
        }
    }
}

/// Merges that no training would make: endless rounds, strange products.
#[test]
fn odd_merges_are_followed_or_refused() {
    for merges in [
        json!([["a", "a"], ["aa", "aa"]]),
        json!(["a a"]),
        json!([["", "a"]]),
        json!([[]]),
        json!("x"),
        json!({"a": 1}),
    ] {
        let mut file = tiny_tokenizer();
        file["model"]["vocab"]["aa"] = json!(261);
        file["model"]["merges"] = merges;
        if let Ok(tokenizer) = Tokenizer::from_parts(&bytes(&file), None) {
            let text = "a".repeat(5000);
            let ids = tokenizer.encode(&text).unwrap();
            assert_eq!(tokenizer.decode(&ids), format!("<s>{text}</s>"));
        }
    }
}

#[test]
fn one_tokenizer_serves_many_threads() {
    let tokenizer = published();
    let expected = tokenizer
        .encode("Locate the objects <loc_5> in the image.")
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let ids = tokenizer
                        .clone()
                        .encode("Locate the objects <loc_5> in the image.");
                    assert_eq!(ids.unwrap(), expected);
                }
            });
        }
    });
}
