//! The small model, held to the reference's generations on its held-out scenes:
//! fifteen tasks, three beams, ids and parsed answers.

mod backends;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use florence_tasks::postprocess::compat;
use florence_tasks::{Ask, BBox, Flavor, Florence, Request, Size, Task};
use serde::Deserialize;

/// Largest difference of a log-probability.
const TOLERANCE: f32 = 1e-3;

#[derive(Debug, Deserialize)]
struct Golden {
    file: String,
    task: Task,
    text: Option<String>,
    region: Option<[f32; 4]>,
    size: [u32; 2],
    prompt_ids: Vec<u32>,
    output_ids: Vec<u32>,
    decoded: String,
    logprobs: Vec<f32>,
    parsed: compat::Value,
}

fn nano(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/florence-nano")
        .join(path)
}

fn goldens() -> Vec<Golden> {
    let lines = std::fs::read_to_string(nano("tests/data/goldens.jsonl")).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_generation_is_the_references() {
    let florence = Florence::nano().unwrap();
    let options = florence.generation().clone().max_new_tokens(128);
    let mut images = HashMap::new();
    let mut count = BTreeMap::new();
    for golden in goldens() {
        let name = format!("{} {}", golden.file, golden.task);
        let photo = images.entry(golden.file.clone()).or_insert_with(|| {
            let image = image::open(nano("eval").join(&golden.file)).unwrap();
            florence.encode(&image).unwrap()
        });
        assert_eq!(
            photo.size(),
            Size::new(golden.size[0], golden.size[1]),
            "{name}"
        );
        let region = golden
            .region
            .map(|[x1, y1, x2, y2]| BBox { x1, y1, x2, y2 });
        let request = Request::new(golden.task).with_input(golden.text.as_deref(), region);

        let prompt = request.question().unwrap().prompt;
        assert_eq!(
            prompt.to_ids(florence.tokenizer(), photo.size()).unwrap(),
            golden.prompt_ids,
            "{name}"
        );

        let output = photo.run_with(&request, &options).unwrap();
        assert_eq!(
            output.token_ids, golden.output_ids,
            "{name}: {} against {}",
            output.raw_text, golden.decoded
        );
        assert_eq!(output.raw_text, golden.decoded, "{name}");
        for (ours, reference) in output.logprobs.iter().zip(&golden.logprobs) {
            assert!(
                (ours - reference).abs() <= TOLERANCE,
                "{name}: {ours} against {reference}"
            );
        }
        let parsed = output.to_reference_json(Flavor::Transformers);
        assert_eq!(parsed[golden.task.as_str()], golden.parsed, "{name}");
        *count.entry(golden.task).or_insert(0) += 1;
    }
    assert_eq!(count.len(), 15, "every task");
    assert!(count.values().all(|&scenes| scenes >= 40), "{count:?}");
}

#[test]
fn on_candle() {
    backends::again_on_candle();
}
