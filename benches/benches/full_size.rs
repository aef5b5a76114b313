//! The published sizes with seeded weights, so that nothing is downloaded:
//! image preparation, loading, vision tower, text encoder, decoding.
//!
//! In test mode everything runs once, and with the small model's sizes.

use std::cell::OnceCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use florence_benches::random::{self, Sizes};
use florence_benches::{NotYet, is_test, photo};
use florence_core::candle::Tensor;
use florence_core::image::prepare;
use florence_core::{Florence2, Generation, LoadOptions, Precision};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tokens of an answer whose time is divided by their number.
const TOKENS: usize = 32;
/// `<s>`, eleven words, `</s>`.
const PROMPT: [u32; 13] = [0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2];

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    group
}

/// A model and an image, made when a bench first needs them.
struct Subject {
    sizes: Sizes,
    precision: Precision,
    weights: OnceCell<&'static [u8]>,
    model: OnceCell<(Florence2, Tensor, Tensor)>,
}

impl Subject {
    fn new(sizes: Sizes, precision: Precision) -> Self {
        Self {
            sizes: if is_test() { random::SMALL } else { sizes },
            precision,
            weights: OnceCell::new(),
            model: OnceCell::new(),
        }
    }

    fn weights(&self) -> &'static [u8] {
        self.weights
            .get_or_init(|| random::safetensors(self.sizes).unwrap().leak())
    }

    fn load(&self) -> Florence2 {
        let checkpoint = self.sizes.checkpoint(self.weights()).unwrap();
        let options = LoadOptions::new().precision(self.precision);
        Florence2::load_with(checkpoint, &options).unwrap()
    }

    /// The model, pixels, and its image features.
    fn model(&self) -> &(Florence2, Tensor, Tensor) {
        self.model.get_or_init(|| {
            let model = self.load();
            let size = model.config().image.resize.unwrap();
            let pixels = random::tensor((1, 3, size.height, size.width), 1).unwrap();
            let features = model.encode_pixels(&pixels).unwrap();
            (model, pixels, features)
        })
    }

    fn ask(&self, num_beams: usize, tokens: usize) -> Generation {
        let (model, _, features) = self.model();
        let defaults = model.generation_config();
        let not_yet = NotYet {
            eos: defaults.get_eos_token_id(),
            max_len: 1 + tokens,
        };
        let config = defaults
            .num_beams(num_beams)
            .max_new_tokens(tokens)
            .logits_processor(Arc::new(not_yet));
        let mut answers = model
            .generate(features, &[PROMPT.to_vec()], &config)
            .unwrap();
        answers.remove(0)
    }

    fn vision(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group.bench_function("vision", |b| {
            let (model, pixels, _) = self.model();
            b.iter(|| model.encode_pixels(black_box(pixels)).unwrap());
        });
    }

    fn text(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group.bench_function("prompt", |b| {
            b.iter_custom(|times| (0..times).map(|_| self.ask(1, 1).encoder_time).sum());
        });
        for beams in [1, 3] {
            group.bench_function(format!("token, {beams} beams"), |b| {
                b.iter_custom(|times| {
                    let answers = (0..times).map(|_| {
                        let answer = self.ask(beams, TOKENS);
                        answer.decoder_time / (answer.token_ids.len() - 1) as u32
                    });
                    answers.sum()
                });
            });
        }
    }
}

fn preprocess(criterion: &mut Criterion) {
    let mut group = group(criterion, "preprocess");
    let preparation = random::BASE.config().unwrap().image;
    let taken = OnceCell::new();
    group.bench_function("4000x3000 to 768", |b| {
        let photo = taken.get_or_init(photo);
        b.iter(|| prepare(&[black_box(photo)], &preparation).unwrap());
    });
    group.finish();
}

fn base(criterion: &mut Criterion) {
    for precision in [Precision::F32, Precision::Q8_0] {
        let base = Subject::new(random::BASE, precision);
        let mut group = group(criterion, &format!("base {precision}"));
        group.bench_function("load", |b| b.iter(|| base.load()));
        base.vision(&mut group);
        base.text(&mut group);
        group.finish();
    }
}

fn large(criterion: &mut Criterion) {
    let large = Subject::new(random::LARGE, Precision::F32);
    let mut group = group(criterion, "large f32");
    large.vision(&mut group);
    group.finish();
}

criterion_group!(benches, preprocess, base, large);
criterion_main!(benches);
