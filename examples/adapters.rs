//! One base, several LoRA adapters: each is a model of its own, and they share what no adapter
//! changes.
//!
//! ```sh
//! cargo run --release -p florence-examples --example adapters -- Florence-2-base-ft photo.jpg style-a style-b
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use florence_tasks::{Caption, Checkpoint, Florence};

#[derive(Debug, Parser)]
struct Args {
    /// The folder of the base.
    base: PathBuf,
    image: PathBuf,
    /// Folders of adapters, as PEFT saves them.
    #[arg(required = true)]
    adapters: Vec<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let image = image::open(&args.image)?;
    let ask = |name: &str, start: Instant, florence: &Florence| -> Result<(), Box<dyn Error>> {
        let loaded = start.elapsed();
        let caption = florence.run(Caption, &image)?.value.text;
        println!("{name} (loaded in {loaded:.1?}): {caption}");
        Ok(())
    };
    let start = Instant::now();
    let checkpoint = Checkpoint::from_dir(&args.base)?;
    let base = Florence::from_checkpoint(checkpoint.clone())?;
    ask("base", start, &base)?;
    let mut adapted = Vec::new();
    for adapter in &args.adapters {
        let start = Instant::now();
        let florence = base.load_sharing(checkpoint.with_adapter(adapter)?)?;
        ask(&adapter.display().to_string(), start, &florence)?;
        adapted.push(florence);
    }
    println!("{} models in memory", 1 + adapted.len());
    Ok(())
}
