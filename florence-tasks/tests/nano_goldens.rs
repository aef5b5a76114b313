//! The nano model against the reference: the same prompts, the same tokens, the same dicts.
//!
//! The goldens are made by `tools/nano/goldens.py` with transformers 5.23 (f32, three beams, at
//! most 128 new tokens) from the checkpoint that ships. `FLORENCE_GOLDENS` names another file.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use florence_tasks::core::TokenKind;
use florence_tasks::{Ask, BBox, Flavor, Florence, GenerationConfig, Request, Task};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Golden {
    file: String,
    task: Task,
    text: Option<String>,
    region: Option<[f32; 4]>,
    prompt_ids: Vec<u32>,
    output_ids: Vec<u32>,
    decoded: String,
    logprobs: Vec<f32>,
    margin: f32,
    parsed: Value,
}

impl Golden {
    fn request(&self) -> Request {
        Request::new(self.task).with(self.text.as_deref(), self.region.map(BBox::from))
    }
}

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../florence-nano")
}

/// Whether the prompts differ, but only by one bin in a coordinate that lies on the edge between
/// two. The script divides in f64; the processors (and we) divide in f32.
fn on_an_edge(florence: &Florence, ours: &[u32], theirs: &[u32]) -> bool {
    let bin = |id: u32| match florence.tokenizer().token(id) {
        TokenKind::Location(bin) => Some(bin),
        _ => None,
    };
    let neighbours = |(a, b): (&u32, &u32)| {
        a == b || matches!((bin(*a), bin(*b)), (Some(a), Some(b)) if a.abs_diff(b) == 1)
    };
    ours != theirs && ours.len() == theirs.len() && ours.iter().zip(theirs).all(neighbours)
}

/// What differs, if anything.
fn check(florence: &Florence, goldens: &[&Golden]) -> Vec<String> {
    let image = image::open(nano().join("eval").join(&goldens[0].file)).unwrap();
    let photo = florence.encode(&image).unwrap();
    let options = GenerationConfig {
        max_new_tokens: 128,
        ..florence.generation().clone()
    };
    let mut different = Vec::new();
    for golden in goldens {
        let request = golden.request();
        let prompt = request.question().unwrap().prompt;
        let ids = prompt.to_ids(florence.tokenizer(), photo.size()).unwrap();
        let output = photo.run_with(&request, &options).unwrap();
        let dict = output.to_reference_json(Flavor::Transformers);
        let furthest = output
            .logprobs
            .iter()
            .zip(&golden.logprobs)
            .map(|(ours, theirs)| (ours - theirs).abs())
            .fold(0.0, f32::max);
        let what = if on_an_edge(florence, &ids, &golden.prompt_ids) {
            continue;
        } else if ids != golden.prompt_ids {
            "prompt"
        } else if output.token_ids != golden.output_ids {
            "tokens"
        } else if output.raw_text != golden.decoded {
            "text"
        } else if dict[golden.task.marker()] != golden.parsed {
            "dict"
        } else if furthest > 2e-3 {
            "log-probabilities"
        } else {
            continue;
        };
        different.push(format!(
            "{} {} {:?}: other {what} (margin {}, log-probabilities within {furthest})\n  {}\n  {}",
            golden.file, golden.task, golden.text, golden.margin, output.raw_text, golden.decoded,
        ));
    }
    different
}

#[test]
fn tokens_and_dicts_of_the_reference() {
    let path = std::env::var_os("FLORENCE_GOLDENS")
        .map_or_else(|| nano().join("tests/data/goldens.jsonl"), PathBuf::from);
    let Ok(lines) = std::fs::read_to_string(&path) else {
        eprintln!(
            "skipped: no {}, which tools/nano/goldens.py writes",
            path.display()
        );
        return;
    };
    let goldens: Vec<Golden> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!goldens.is_empty());
    let mut scenes: Vec<Vec<&Golden>> = Vec::new();
    for golden in &goldens {
        match scenes.iter_mut().find(|scene| scene[0].file == golden.file) {
            Some(scene) => scene.push(golden),
            None => scenes.push(vec![golden]),
        }
    }
    let florence = Florence::nano().unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (left, different) = (Mutex::new(scenes), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scene) = next() {
                    let found = check(&florence, &scene);
                    different.lock().unwrap().extend(found);
                }
            });
        }
    });
    let different = different.into_inner().unwrap();
    assert!(
        different.is_empty(),
        "{} of {} differ:\n{}",
        different.len(),
        goldens.len(),
        different.join("\n")
    );
    eprintln!("{} golden generations", goldens.len());
}
