//! The small model, part by part and task by task.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use florence_benches::scene;
use florence_core::image::{prepare, to_rgb};
use florence_tasks::{Florence, Request, Task};

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

fn tasks(criterion: &mut Criterion) {
    let florence = Florence::nano().unwrap();
    let image = scene();
    let photo = florence.encode(&image).unwrap();
    let mut group = criterion.benchmark_group("nano/ask");
    for (task, text) in [
        (Task::Od, None),
        (Task::Caption, None),
        (Task::Ocr, None),
        (Task::ReferringSegmentation, Some("the green triangle")),
    ] {
        let request = Request::new(task).with(text, None);
        group.bench_function(task.name(), |b| {
            b.iter(|| photo.run(black_box(&request)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, parts, tasks);
criterion_main!(benches);
