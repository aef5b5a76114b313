//! Several callers in one pool: latency and total time, with and without busy-waiting, alternating.
//!
//! `cargo run --release -p florence-benches --bin callers -- --callers 8 --calls 40`

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use florence_tasks::{Florence, MoreDetailedCaption};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
struct Args {
    /// Concurrent callers.
    #[arg(long, default_value_t = 2)]
    callers: usize,
    /// Questions per caller.
    #[arg(long, default_value_t = 40)]
    calls: usize,
    /// Rounds of both modes.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads of the pool. Default: all cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Checkpoint folder. Default: the demo model.
    #[arg(long)]
    model: Option<PathBuf>,
}

/// Measurements of one mode, over all rounds.
#[derive(Default)]
struct Measured {
    latencies: Vec<Duration>,
    total: Duration,
}

impl Measured {
    fn at(&self, share: f64) -> f64 {
        let last = self.latencies.len() - 1;
        self.latencies[(last as f64 * share).round() as usize].as_secs_f64() * 1e3
    }

    fn print(&mut self, name: &str) {
        self.latencies.sort_unstable();
        println!(
            "{name:10} p50 {:7.1}  p95 {:7.1}  max {:7.1} ms  {:7.1} answers/s",
            self.at(0.5),
            self.at(0.95),
            self.at(1.0),
            self.latencies.len() as f64 / self.total.as_secs_f64()
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let load = |busy_wait: bool| {
        let builder = Florence::builder().busy_wait(busy_wait);
        match &args.model {
            Some(folder) => builder.from_dir(folder),
            None => builder.nano(),
        }
    };
    let models = [("plain", load(false)?), ("busy wait", load(true)?)];
    let threads = args.threads.unwrap_or_else(rayon::current_num_threads);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let image = image::open("examples/scene.png")?;
    let mut measured = [Measured::default(), Measured::default()];
    for round in 0..args.rounds {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let photo = models[which].1.encode(&image)?;
            let start = Instant::now();
            let latencies = std::thread::scope(|scope| {
                let caller = || {
                    let mut latencies = Vec::with_capacity(args.calls);
                    for _ in 0..args.calls {
                        let start = Instant::now();
                        pool.install(|| photo.run(MoreDetailedCaption))?;
                        latencies.push(start.elapsed());
                    }
                    Ok::<_, florence_tasks::Error>(latencies)
                };
                let callers: Vec<_> = (0..args.callers).map(|_| scope.spawn(caller)).collect();
                let join = callers
                    .into_iter()
                    .map(|caller| caller.join().expect("no panic"));
                join.collect::<Result<Vec<_>, _>>()
            })?;
            measured[which].total += start.elapsed();
            measured[which]
                .latencies
                .extend(latencies.into_iter().flatten());
        }
    }
    println!(
        "{} callers, {threads} threads, {} calls each",
        args.callers, args.calls
    );
    for (measured, (name, _)) in measured.iter_mut().zip(&models) {
        measured.print(name);
    }
    Ok(())
}
