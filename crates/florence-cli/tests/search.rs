//! Search options: those of the checkpoint, unless the command line gives others.

mod program;

use std::path::Path;

use program::{florence, lines, stderr};
use serde_json::Value;

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano");

/// The model that ships, asking for this search.
fn checkpoint(change: impl Fn(&mut Value)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "generation_config.json",
        "model.safetensors",
    ] {
        let bytes = std::fs::read(Path::new(NANO).join(name)).unwrap();
        program::file(&dir, name, &bytes);
    }
    let path = dir.path().join("generation_config.json");
    let mut generation = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut generation);
    std::fs::write(path, generation.to_string()).unwrap();
    dir
}

fn token_ids(model: &str, more: &[&str]) -> Value {
    let args = ["run", "--task", TASK, "--json", "--model", model, PHOTO];
    let output = florence([&args, more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    lines(&output)[0]["token_ids"].clone()
}

/// The answers of one beam and of three differ.
const TASK: &str = "region_proposal";
const PHOTO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../florence-nano/eval/images/000.png"
);

#[test]
fn the_checkpoint_says_how_many_beams() {
    let greedy = checkpoint(|generation| generation["num_beams"] = 1.into());
    let greedy = greedy.path().to_str().unwrap();
    let one = token_ids("nano", &["--num-beams", "1"]);
    let three = token_ids("nano", &["--num-beams", "3"]);
    assert_ne!(one, three);
    assert_eq!(token_ids("nano", &[]), three);
    assert_eq!(token_ids(greedy, &[]), one);
    assert_eq!(token_ids(greedy, &["--num-beams", "3"]), three);
}

#[test]
fn the_command_line_says_how_many_tokens() {
    let all = token_ids("nano", &[]).as_array().unwrap().len();
    let few = token_ids("nano", &["--max-new-tokens", "7"]);
    assert!(all > 8);
    assert_eq!(few.as_array().unwrap().len(), 8, "with the start token");
}
