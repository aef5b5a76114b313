//! Measures one loaded checkpoint for `tools/peers`, which compares it with
//! other runtimes: requests and answers are JSON lines on stdin and stdout.
//!
//! ```sh
//! cargo run --release -p florence-benches --bin worker -- CHECKPOINT --inputs DIR
//! ```

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use florence_benches::NotYet;
use florence_core::candle::{self, D, Tensor, safetensors};
use florence_core::{
    Checkpoint, Device, Florence2, Generation, GenerationConfig, LoadOptions, Precision,
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Args {
    /// A checkpoint folder.
    checkpoint: PathBuf,
    /// The folder with `pixels.safetensors` and `prompts.json`.
    #[arg(long)]
    inputs: PathBuf,
    /// Device.
    #[arg(long, default_value_t)]
    device: Device,
    /// Weight precision.
    #[arg(long, default_value_t)]
    precision: Precision,
}

/// Tokens of a caption.
const CAPTION_TOKENS: usize = 20;

struct Worker {
    model: Florence2,
    pixels: Tensor,
    features: Tensor,
    prompts: Vec<Vec<u32>>,
    /// Which of the prompts is measured alone.
    alone: usize,
    new_tokens: usize,
}

impl Worker {
    fn ask(
        &self,
        features: &Tensor,
        prompt: usize,
        beams: usize,
        new_tokens: usize,
    ) -> Result<Generation> {
        let config = self.config(beams, new_tokens);
        let ids = self.prompts.get(prompt).ok_or("no such prompt")?.clone();
        let mut answers = self.model.generate(features, &[ids], &config)?;
        Ok(answers.remove(0))
    }

    /// Answers with exactly this many tokens.
    fn config(&self, beams: usize, new_tokens: usize) -> GenerationConfig {
        let defaults = self.model.generation_config();
        let not_yet = NotYet {
            eos: defaults.get_eos_token_id(),
            max_len: 1 + new_tokens,
        };
        defaults
            .num_beams(beams)
            .max_new_tokens(new_tokens)
            .logits_processor(Arc::new(not_yet))
    }

    /// Captions of photos, in batches of this size.
    fn captions(&self, photos: usize, batch: usize, beams: usize) -> Result<()> {
        let prompt = self.prompts.first().ok_or("no prompts")?;
        for start in (0..photos).step_by(batch) {
            let count = batch.min(photos - start);
            let pixels = self.pixels.repeat((count, 1, 1, 1))?;
            let features = self.model.encode_pixels(&pixels)?;
            let prompts = vec![prompt.clone(); count];
            let config = self.config(beams, CAPTION_TOKENS);
            self.model.generate(&features, &prompts, &config)?;
        }
        Ok(())
    }

    /// The most likely token after each of the given ones.
    fn follow(&self, prompt: usize, tokens: Vec<u32>) -> Result<Vec<u32>> {
        let ids = self.prompts.get(prompt).ok_or("no such prompt")?.clone();
        let logits = self
            .model
            .forward(&self.features, &[ids], &[tokens], &mut |_, _| {})?;
        Ok(logits.squeeze(0)?.argmax(D::Minus1)?.to_vec1()?)
    }

    fn answer(&self, request: &Value) -> Result<Value> {
        let number = |name: &str| request[name].as_u64().map(|n| n as usize);
        let beams = number("beams").unwrap_or(3);
        match request["op"].as_str().unwrap_or_default() {
            "vision" => {
                let pixels = self
                    .pixels
                    .repeat((number("batch").unwrap_or(1), 1, 1, 1))?;
                timed(|| finished(&self.model.encode_pixels(&pixels)?))
            }
            "captions" => {
                let (photos, batch) = (number("photos"), number("batch").unwrap_or(1));
                timed(|| self.captions(photos.unwrap_or(batch), batch, beams))
            }
            "prompt" => {
                let answer = self.ask(&self.features, self.alone, 1, 1)?;
                Ok(seconds(answer.encoder_time))
            }
            "decode" => {
                let answer = self.ask(&self.features, self.alone, beams, self.new_tokens)?;
                Ok(seconds(answer.decoder_time))
            }
            "od" => timed(|| {
                let features = self.model.encode_pixels(&self.pixels)?;
                self.ask(&features, self.alone, beams, self.new_tokens)
            }),
            "six" => timed(|| {
                let features = self.model.encode_pixels(&self.pixels)?;
                (0..self.prompts.len()).try_for_each(|prompt| {
                    self.ask(&features, prompt, beams, self.new_tokens)
                        .map(drop)
                })
            }),
            "ids" => {
                let prompt = number("prompt").unwrap_or(self.alone);
                let answer = self.ask(&self.features, prompt, beams, self.new_tokens)?;
                Ok(json!({ "ids": answer.token_ids }))
            }
            "next" => {
                let prompt = number("prompt").unwrap_or(self.alone);
                let tokens = serde_json::from_value(request["tokens"].clone())?;
                Ok(json!({ "ids": self.follow(prompt, tokens)? }))
            }
            "memory" => Ok(json!({ "peak_bytes": peak_bytes() })),
            other => Err(format!("no op {other:?}").into()),
        }
    }
}

/// Waits until a device has computed `x`.
fn finished(x: &Tensor) -> Result<()> {
    x.device().synchronize()?;
    Ok(())
}

fn timed<T, E: Into<Box<dyn Error>>>(
    work: impl FnOnce() -> std::result::Result<T, E>,
) -> Result<Value> {
    let start = Instant::now();
    work().map_err(Into::into)?;
    Ok(seconds(start.elapsed()))
}

fn seconds(duration: Duration) -> Value {
    json!({ "seconds": duration.as_secs_f64() })
}

/// Peak memory of this process, if the system reports it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn load(args: &Args) -> Result<Florence2> {
    let options = LoadOptions::new()
        .device(args.device)
        .precision(args.precision);
    let checkpoint = Checkpoint::from_dir(&args.checkpoint)?;
    Ok(Florence2::load_with(checkpoint, &options)?)
}

fn run(args: &Args) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut say = |value: &Value| -> Result<()> {
        writeln!(out, "{value}")?;
        Ok(out.flush()?)
    };
    let start = Instant::now();
    let model = load(args)?;
    say(&json!({
        "seconds": start.elapsed().as_secs_f64(),
        "peak_bytes": peak_bytes(),
        "versions": { "florence-core": env!("CARGO_PKG_VERSION") },
    }))?;

    let tensors = safetensors::load(args.inputs.join("pixels.safetensors"), &candle::Device::Cpu)?;
    let pixels = tensors
        .get("pixel_values")
        .ok_or("no pixel_values")?
        .clone();
    let document: Value =
        serde_json::from_slice(&std::fs::read(args.inputs.join("prompts.json"))?)?;
    let mut worker = None;
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        if worker.is_none() {
            worker = Some(Worker {
                features: model.encode_pixels(&pixels)?,
                model: model.clone(),
                pixels: pixels.clone(),
                prompts: serde_json::from_value(document["prompts"].clone())?,
                alone: serde_json::from_value(document["alone"].clone())?,
                new_tokens: serde_json::from_value(document["new_tokens"].clone())?,
            });
        }
        if let Some(worker) = &worker {
            let answer = worker
                .answer(&request)
                .unwrap_or_else(|error| json!({ "error": error.to_string() }));
            say(&answer)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}
