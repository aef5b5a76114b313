//! Compares a full-size checkpoint with the reference: activations, logits, ids
//! and log-probabilities, as written by `tools/reference/full_size.py`.
//!
//! ```sh
//! cargo run --release -p florence-examples --example compare_reference -- DIR
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use florence_core::candle::{DType, Device, Tensor, safetensors};
use florence_core::{Checkpoint, EarlyStopping, Florence2, GenerationConfig};
use serde_json::Value;

/// Largest difference of an activation, relative to the largest value of its
/// kind where that is above 1: at full size some reach 90.
const TOLERANCE: f32 = 1e-4;

#[derive(Debug, Parser)]
struct Args {
    /// A folder with `native/` or `microsoft/`, `reference.safetensors` and `reference.json`.
    dir: PathBuf,
    /// The layout to load.
    #[arg(long, default_value = "native")]
    layout: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let start = Instant::now();
    let model = Florence2::load(Checkpoint::from_dir(args.dir.join(&args.layout))?)?;
    println!(
        "{} parameters loaded in {:.1?}",
        model.parameter_count(),
        start.elapsed()
    );

    let reference = safetensors::load(args.dir.join("reference.safetensors"), &Device::Cpu)?;
    let document: Value = serde_json::from_slice(&std::fs::read(args.dir.join("reference.json"))?)?;
    let mut failures = Vec::new();
    let mut look =
        |name: &str, ours: &Tensor| match difference(name, ours, &reference, &document["every"]) {
            Ok(None) => {}
            Ok(Some((diff, largest))) => {
                println!("{name:40} {diff:9.2e} of {largest:.1}");
                if diff.is_nan() || diff > TOLERANCE * largest.max(1.0) {
                    failures.push(format!("{name} differs by {diff:.2e}"));
                }
            }
            Err(error) => failures.push(error.to_string()),
        };

    let start = Instant::now();
    let features = model.encode_pixels_with(&reference["pixel_values"], &mut |name, x| {
        look(&name.to_string(), x)
    })?;
    println!("vision {:.2?}", start.elapsed());
    let prompt = ids(&reference["prompt_ids"])?;
    let decoder_ids = ids(&reference["decoder_input_ids"])?;
    let logits = model.forward(
        &features,
        std::slice::from_ref(&prompt),
        &[decoder_ids],
        &mut |name, x| look(&name.to_string(), x),
    )?;
    look("logits", &logits);

    for case in document["cases"].as_array().into_iter().flatten() {
        let answer = &model.generate(
            &features,
            std::slice::from_ref(&prompt),
            &generation(&case["args"]),
        )?[0];
        let expected: Vec<u32> = serde_json::from_value(case["token_ids"][0].clone())?;
        let same = answer.token_ids == expected;
        if !same {
            failures.push(format!("ids of {} differ", case["name"]));
        }
        println!(
            "{:20} {} tokens, ids {}, {:.1?} a token",
            case["name"].as_str().unwrap_or_default(),
            expected.len(),
            if same { "identical" } else { "DIFFER" },
            answer.decoder_time / expected.len().max(1) as u32,
        );
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

fn ids(tensor: &Tensor) -> Result<Vec<u32>, Box<dyn Error>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::U32)?.to_vec1()?)
}

/// The largest difference from the reference and its largest value; `None` if it has no such activation.
/// The reference stores maps channels-first, large ones as every n-th element.
fn difference(
    name: &str,
    ours: &Tensor,
    reference: &HashMap<String, Tensor>,
    every: &Value,
) -> Result<Option<(f32, f32)>, Box<dyn Error>> {
    let thinned = format!("{name}.every");
    let (expected, step) = match (reference.get(name), reference.get(&thinned)) {
        (Some(whole), _) => (whole, 1),
        (None, Some(part)) => (part, every[name].as_u64().unwrap_or(1) as usize),
        (None, None) => return Ok(None),
    };
    let is_map = name.starts_with("vision.");
    let ours = if is_map {
        ours.transpose(1, 2)?.contiguous()?
    } else {
        ours.clone()
    };
    let ours = ours.flatten_all()?.to_vec1::<f32>()?;
    let expected = expected.flatten_all()?.to_vec1::<f32>()?;
    if ours.len().div_ceil(step) != expected.len() {
        return Err(format!("{name}: {} values against {}", ours.len(), expected.len()).into());
    }
    let diff = ours
        .iter()
        .step_by(step)
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    let largest = expected.iter().map(|value| value.abs()).fold(0.0, f32::max);
    Ok(Some((diff, largest)))
}

fn generation(args: &Value) -> GenerationConfig {
    let id = |key: &str| args[key].as_u64().map(|id| id as u32);
    let number = |key: &str, default: u64| args[key].as_u64().unwrap_or(default) as usize;
    GenerationConfig::new()
        .num_beams(number("num_beams", 3))
        .max_new_tokens(number("max_new_tokens", 64))
        .early_stopping(match &args["early_stopping"] {
            Value::Bool(false) => EarlyStopping::False,
            Value::String(_) => EarlyStopping::Never,
            _ => EarlyStopping::True,
        })
        .length_penalty(args["length_penalty"].as_f64().unwrap_or(1.0) as f32)
        .no_repeat_ngram_size(number("no_repeat_ngram_size", 3))
        .forced_bos_token_id(id("forced_bos_token_id"))
        .forced_eos_token_id(id("forced_eos_token_id"))
}
