//! Random mixed batches: tasks, photos, texts of different lengths and numbers of beams. Every
//! answer is the one that its question gets alone, on both backends.

mod backends;

use std::collections::HashMap;
use std::path::Path;

use florence_tasks::{BBox, EncodedImage, Florence, InputKind, Output, Request, Task};
use image::DynamicImage;

/// Questions of a batch at most.
const QUESTIONS: u64 = 6;

/// A seeded source of whole numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % end as usize
    }
}

/// Photos of several sizes.
fn photos() -> Vec<DynamicImage> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano/eval/images");
    let open = |name: &str| image::open(images.join(name)).unwrap();
    let mut photos = ["001.png", "017.png", "042.png", "058.png"]
        .map(open)
        .to_vec();
    photos.push(photos[0].crop_imm(20, 10, 150, 60));
    photos.push(photos[1].rotate90());
    photos
}

fn requests() -> Vec<Request> {
    let texts = [
        "a star",
        "a purple pentagon and a small green triangle beside it",
    ];
    let regions = [
        BBox::new(10.0, 5.0, 60.0, 40.0),
        BBox::new(40.0, 20.0, 140.0, 55.0),
    ];
    let each = |task: Task| match task.input() {
        InputKind::Text => texts.map(|text| task.with_text(text)).to_vec(),
        InputKind::Region => regions.map(|region| task.with_region(region)).to_vec(),
        _ => vec![Request::new(task)],
    };
    Task::ALL.iter().copied().flat_map(each).collect()
}

/// Asks `count` random batches, and compares each answer with that of its question alone.
fn batches_are_their_questions_alone(count: usize, seed: u64) {
    let florence = Florence::nano().unwrap();
    let (photos, requests) = (photos(), requests());
    let encoded = photos.iter().map(|photo| florence.encode(photo).unwrap());
    let encoded: Vec<EncodedImage> = encoded.collect();
    let mut alone: HashMap<(usize, usize, usize), Vec<u32>> = HashMap::new();
    let mut numbers = Numbers(seed);
    let mut asked = 0;
    for batch in 0..count {
        let options = florence
            .generation()
            .clone()
            .num_beams(1 + numbers.below(4))
            .max_new_tokens(24);
        let questions = 1 + numbers.below(QUESTIONS);
        let questions = (0..questions).map(|_| {
            let photo = numbers.below(photos.len() as u64);
            (numbers.below(requests.len() as u64), photo)
        });
        let questions: Vec<(usize, usize)> = questions.collect();
        let given = questions.iter().map(|&(r, p)| (&requests[r], &photos[p]));
        let answers = florence.run_batch_with(given, &options).into_iter();
        let answers: Vec<Output<_>> = answers.map(Result::unwrap).collect();
        assert_eq!(answers.len(), questions.len());
        for (&(request, photo), answer) in questions.iter().zip(&answers) {
            let key = (request, photo, options.get_num_beams());
            let right = alone.entry(key).or_insert_with(|| {
                let answer = encoded[photo].run_with(&requests[request], &options);
                answer.unwrap().token_ids
            });
            assert_eq!(
                &answer.token_ids,
                right,
                "batch {batch}: {:?} of photo {photo}, {} beams",
                requests[request],
                options.get_num_beams()
            );
            asked += 1;
        }
    }
    assert!(asked >= count && alone.len() > count.min(10));
}

#[test]
fn mixed_batches() {
    batches_are_their_questions_alone(25, 0x5eed);
}

/// Minutes: `cargo test -p florence-tasks --test batches -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn many_mixed_batches() {
    batches_are_their_questions_alone(500, 0xf10e);
}

#[test]
fn on_candle() {
    backends::again_on_candle();
}
