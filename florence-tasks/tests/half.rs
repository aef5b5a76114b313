//! The small model in 16 bits on candle's operations, beside itself in f32: how many next tokens and
//! answers stay the same. `tools/reference/half.py` asks PyTorch the same, on a CPU: 8,265 of 9,436
//! next tokens and 339 of 675 answers in bf16, and none in f16, where it computes NaN. Ours: 8,266 and 343 in
//! bf16, 9,276 and 532 in f16.
//!
//! ```sh
//! FLORENCE_BACKEND=candle cargo test -p florence-tasks --test half -- --ignored --nocapture
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use florence_core::candle::{D, Tensor};
use florence_core::image::prepare;
use florence_core::{Checkpoint, Florence2, LoadOptions, Precision};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Golden {
    file: String,
    prompt_ids: Vec<u32>,
    output_ids: Vec<u32>,
}

fn nano(path: impl AsRef<Path>) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano");
    folder.join(path)
}

fn features(model: &Florence2, file: &str) -> Tensor {
    let image = image::open(nano("eval").join(file)).unwrap().to_rgb8();
    let pixels = prepare(&[&image], &model.config().image).unwrap();
    model.encode_pixels(&pixels).unwrap()
}

#[test]
#[ignore = "a measurement, of minutes"]
fn tokens_and_answers_that_stay() {
    let lines = std::fs::read_to_string(nano("tests/data/goldens.jsonl")).unwrap();
    let goldens = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let goldens: Vec<Golden> = goldens.collect();
    let mut in_f32: Vec<Vec<u32>> = Vec::new();
    let mut shares = Vec::new();
    for precision in [Precision::F32, Precision::F16, Precision::BF16] {
        let options = LoadOptions::new().precision(precision);
        let checkpoint = Checkpoint::from_dir(nano("")).unwrap();
        let model = Florence2::load_with(checkpoint, &options).unwrap();
        let config = model.generation_config().max_new_tokens(128);
        let mut seen = HashMap::new();
        let (mut tokens, mut same, mut answers) = (0, 0, 0);
        for (number, golden) in goldens.iter().enumerate() {
            let features = seen
                .entry(&golden.file)
                .or_insert_with(|| features(&model, &golden.file));
            let prompt = std::slice::from_ref(&golden.prompt_ids);
            let (_, given) = golden.output_ids.split_last().unwrap();
            let logits = model
                .forward(features, prompt, &[given.to_vec()], &mut |_, _| {})
                .unwrap();
            let next = logits.squeeze(0).unwrap().argmax(D::Minus1).unwrap();
            let next: Vec<u32> = next.to_vec1().unwrap();
            if precision == Precision::F32 {
                in_f32.push(next.clone());
            }
            let expected = &in_f32[number];
            same += next.iter().zip(expected).filter(|(a, b)| a == b).count();
            tokens += next.len();
            let answer = model.generate(features, prompt, &config).unwrap().remove(0);
            answers += usize::from(answer.token_ids == golden.output_ids);
        }
        println!(
            "{precision}: {same} of {tokens} next tokens as in f32, {answers} of {} answers as the \
             reference's in f32",
            goldens.len()
        );
        shares.push(same as f64 / tokens as f64);
    }
    // As good as PyTorch in bf16 (0.876), but for what instruction sets change.
    assert!(
        shares[0] == 1.0 && shares[1] > 0.98 && shares[2] > 0.87,
        "{shares:?}"
    );
}
