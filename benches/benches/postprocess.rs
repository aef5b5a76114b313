//! Parsing answers.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use florence_postprocess::{AnswerForm, Size, compat, parse_text};

/// An answer of a hundred boxes.
fn crowd() -> String {
    let boxes =
        (0..100).map(|i| format!("person<loc_{i}><loc_{}><loc_{}><loc_999>", i * 2, i + 500));
    format!("</s><s>{}</s>", boxes.collect::<String>())
}

fn parsing(criterion: &mut Criterion) {
    let answer = crowd();
    let size = Size::new(1300, 876);
    let mut group = criterion.benchmark_group("100 boxes");
    group.bench_function("typed", |b| {
        b.iter(|| parse_text(AnswerForm::Boxes, black_box(&answer), size))
    });
    group.bench_function("compat microsoft", |b| {
        b.iter(|| compat::microsoft::post_process(black_box(&answer), "<OD>", size))
    });
    group.bench_function("compat transformers", |b| {
        b.iter(|| compat::transformers::post_process(black_box(&answer), "<OD>", size))
    });
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);
