//! Token ids of any runtime to boxes: prompt, `tokenizer.json`, log-probabilities, crop.
//!
//! ```sh
//! cargo run -p florence-postprocess --features tokenizer --example raw_ids -- tokenizer.json
//! ```
//!
//! The ids are those of florence-nano, whose tokenizer is used where none is given.

use std::error::Error;

use florence_postprocess::{BBox, BpeVocabulary, Request, Size, Task, Token, parse};

fn main() -> Result<(), Box<dyn Error>> {
    let nano = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/florence-nano/tokenizer.json"
    );
    run(&std::env::args().nth(1).unwrap_or_else(|| nano.to_owned()))
}

// The tests run it too.
pub(crate) fn run(path: &str) -> Result<(), Box<dyn Error>> {
    let vocabulary = BpeVocabulary::from_tokenizer_json(&std::fs::read_to_string(path)?)?;

    // What the runtime is asked: this text with <s> before it and </s> after it.
    let (task, size) = (Task::Od, Size::new(516, 543));
    let prompt = Request::new(task).to_prompt(size)?;
    assert_eq!(
        prompt,
        "Locate the objects with category name in the image."
    );

    // What the runtime answers: the decoder sequence, and the log-probability of each token after
    // the start token.
    let ids = [2, 0, 287, 1156, 1066, 1336, 1219, 2];
    let logprobs = [0.0, -0.00012, -2.257, -2.2449, -2.23716, -2.19484, -2e-05];
    let tokens = Token::sequence(&vocabulary, &ids, Some(&logprobs));
    let parsed = parse(task.form(), &tokens, size);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);

    let [heart] = parsed.answer.detections() else {
        return Err(format!("expected one box, got {:?}", parsed.answer).into());
    };
    assert_eq!(heart.label, "heart");
    assert_eq!(
        heart.bbox,
        BBox::new(375.90598, 346.70547, 468.78598, 429.7845)
    );
    assert_eq!(heart.confidence, Some(0.10715542));
    assert_eq!(heart.bbox.pixels(size), Some((375, 346, 94, 84)));

    let BBox { x1, y1, x2, y2 } = heart.bbox;
    println!("{} at {x1}, {y1} to {x2}, {y2}", heart.label);
    Ok(())
}
