//! The demo model, part by part and task by task.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use florence_benches::scene;
use florence_core::image::{prepare, to_rgb};
use florence_tasks::{BBox, Caption, Florence, InputKind, Request, Task};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn parts(criterion: &mut Criterion) {
    let florence = Florence::nano().unwrap();
    let image = scene();
    let rgb = to_rgb(&image);
    let preparation = &florence.model().config().image;
    let pixels = prepare(&[&rgb], preparation).unwrap();
    let mut group = criterion.benchmark_group("nano");
    group.bench_function("load", |b| b.iter(|| Florence::nano().unwrap()));
    group.bench_function("preprocess", |b| {
        b.iter(|| prepare(&[black_box(&rgb)], preparation).unwrap())
    });
    group.bench_function("vision", |b| {
        b.iter(|| florence.model().encode_pixels(black_box(&pixels)).unwrap())
    });
    group.finish();
}

/// From pixels to the answer, task by task.
fn tasks(criterion: &mut Criterion) {
    let florence = Florence::nano().unwrap();
    let image = scene();
    let mut group = criterion.benchmark_group("nano/ask");
    for &task in Task::ALL {
        let request = match task.input() {
            InputKind::Text => task.with_text("the green triangle"),
            InputKind::Region => task.with_region(BBox::new(148.0, 180.0, 260.0, 286.0)),
            _ => Request::new(task),
        };
        group.bench_function(task.name(), |b| {
            b.iter(|| florence.run(black_box(&request), &image).unwrap())
        });
    }
    group.finish();
}

/// The mean latency of an answer while several threads ask at the same time; `callers`, a program
/// beside this, has its percentiles.
fn callers(criterion: &mut Criterion) {
    let florence = Florence::nano().unwrap();
    let image = scene();
    let mut group = criterion.benchmark_group("nano/callers");
    for callers in [1, 2, 8] {
        group.bench_function(callers.to_string(), |b| {
            b.iter_custom(|calls| {
                let caller = || {
                    let start = Instant::now();
                    for _ in 0..calls {
                        florence.run(Caption, black_box(&image)).unwrap();
                    }
                    start.elapsed()
                };
                let times: Duration = std::thread::scope(|scope| {
                    let running: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
                    running
                        .into_iter()
                        .map(|caller| caller.join().unwrap())
                        .sum()
                });
                times / callers
            })
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = parts, tasks, callers
}
criterion_main!(benches);
