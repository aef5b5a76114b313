//! `BpeVocabulary` on the tokenizer of florence-nano: every generation of the reference, from its ids
//! to its text.

#[path = "../examples/raw_ids.rs"]
#[allow(dead_code)]
mod raw_ids;

use std::path::{Path, PathBuf};

use florence_postprocess::{
    BpeVocabulary, Piece, Token, Vocabulary, VocabularyError, raw_text, split_text,
};
use serde_json::Value;

fn nano(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano");
    let path: PathBuf = folder.join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn vocabulary() -> BpeVocabulary {
    BpeVocabulary::from_tokenizer_json(&nano("tokenizer.json")).unwrap()
}

#[test]
fn ids_of_the_reference_decode_to_its_texts() {
    let vocabulary = vocabulary();
    let goldens = nano("tests/data/goldens.jsonl");
    let mut count = 0;
    for line in goldens.lines() {
        let golden: Value = serde_json::from_str(line).unwrap();
        let ids = golden["output_ids"].as_array().unwrap();
        let ids: Vec<u32> = ids.iter().map(|id| id.as_u64().unwrap() as u32).collect();
        let tokens = Token::sequence(&vocabulary, &ids, None);
        let text = golden["decoded"].as_str().unwrap();
        assert_eq!(raw_text(&tokens), text);
        // The special tokens are those that the text spells out.
        let special = |piece: &Piece<'_>| !matches!(piece, Piece::Text(_));
        let ours = tokens.iter().map(|token| token.piece).filter(special);
        let spelled = split_text(text).into_iter().filter(special);
        assert_eq!(
            ours.collect::<Vec<_>>(),
            spelled.collect::<Vec<_>>(),
            "{text}"
        );
        count += 1;
    }
    assert!(count >= 600, "{count}");
}

#[test]
fn every_added_token_has_its_listed_id() {
    let vocabulary = vocabulary();
    let listed: Value = serde_json::from_str(&nano("added_tokens.json")).unwrap();
    let listed = listed.as_object().unwrap();
    assert!(listed.len() > 1024);
    for (token, id) in listed {
        let piece = vocabulary.piece(id.as_u64().unwrap() as u32);
        assert_eq!(piece.to_string(), *token);
        assert!(!matches!(piece, Piece::Text(_)), "{token}");
    }
}

#[test]
fn tokens_that_a_file_lacks_are_appended_in_the_order_of_the_reference() {
    let mut file: Value = serde_json::from_str(&nano("tokenizer.json")).unwrap();
    let complete = vocabulary();
    let added = file["added_tokens"].as_array_mut().unwrap();
    let before = added.len();
    // As BART's own file: `<od>` and all that follows was added for Florence-2.
    added.retain(|token| token["id"].as_u64().unwrap() < 424);
    assert_eq!(before - added.len(), 1025);
    let appended = BpeVocabulary::from_tokenizer_json(&file.to_string()).unwrap();
    for id in 0..1448 {
        assert_eq!(appended.piece(id), complete.piece(id), "{id}");
    }
    // `<image>` is of transformers, not of the published processor.
    assert_eq!(complete.piece(1448), Piece::Marker("<image>"));
    assert_eq!(appended.piece(1448), Piece::Control("<unk>"));
    assert_eq!(complete.piece(u32::MAX), Piece::Control("<unk>"));
}

#[test]
fn other_files_are_errors() {
    let error = |json: &str| BpeVocabulary::from_tokenizer_json(json).unwrap_err();
    let json = error("{");
    assert!(matches!(json, VocabularyError::Json(_)));
    assert_eq!(json.to_string(), "the text is not JSON");
    assert!(std::error::Error::source(&json).is_some());
    assert!(matches!(error("[]"), VocabularyError::NoVocab));
    let id = |id: &str| error(&format!(r#"{{"model": {{"vocab": {{"a": {id}}}}}}}"#));
    for wrong in ["-1", "\"1\"", "4194304", "1e99", "null"] {
        assert!(matches!(id(wrong), VocabularyError::Id { .. }), "{wrong}");
    }
    let decoder = r#"{"decoder": {"type": "WordPiece"}, "model": {"vocab": {}}}"#;
    assert!(matches!(
        error(decoder),
        VocabularyError::Kind {
            part: "decoder",
            ..
        }
    ));
}

#[test]
fn the_example_gives_what_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano/tokenizer.json");
    raw_ids::run(path.to_str().unwrap()).unwrap();
}
