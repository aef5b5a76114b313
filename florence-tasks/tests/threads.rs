//! Several questions at once: in one pool, in pools of several sizes, each answer is the one that its
//! question gets alone.

use std::path::Path;

use florence_tasks::{BBox, Florence, InputKind, Output, Precision, Request, Task};
use image::DynamicImage;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that ask at once, and how often each asks everything.
const ASKING: usize = 4;
const ROUNDS: usize = 2;

fn scenes() -> Vec<DynamicImage> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano/eval/images");
    ["001.png", "017.png", "042.png"]
        .iter()
        .map(|name| image::open(images.join(name)).unwrap())
        .collect()
}

fn requests() -> Vec<Request> {
    [
        Task::Od,
        Task::MoreDetailedCaption,
        Task::OcrWithRegion,
        Task::PhraseGrounding,
        Task::ReferringSegmentation,
        Task::RegionToDescription,
    ]
    .into_iter()
    .map(|task| match task.input() {
        InputKind::Text => task.with_text("a purple pentagon"),
        InputKind::Region => task.with_region(BBox::new(60.0, 50.0, 200.0, 180.0)),
        _ => Request::new(task),
    })
    .collect()
}

/// What an answer is known by: its ids, and the bits of its log-probabilities.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    token_ids: Vec<u32>,
    logprobs: Vec<u32>,
}

impl<T> From<Output<T>> for Said {
    fn from(output: Output<T>) -> Self {
        Self {
            token_ids: output.token_ids,
            logprobs: output.logprobs.iter().map(|p| p.to_bits()).collect(),
        }
    }
}

/// Every request about every scene, beginning with the `first`.
fn ask(florence: &Florence, scenes: &[DynamicImage], first: usize) -> Vec<Said> {
    let requests = requests();
    let count = requests.len() * scenes.len();
    let mut said = vec![None; count];
    for at in (0..count).map(|i| (first + i) % count) {
        let (request, scene) = (&requests[at % requests.len()], &scenes[at / requests.len()]);
        said[at] = Some(florence.run(request, scene).unwrap().into());
    }
    said.into_iter().flatten().collect()
}

/// As [`ask`], with batches of all requests about one scene.
fn ask_batches(florence: &Florence, scenes: &[DynamicImage]) -> Vec<Said> {
    let batch = |scene| {
        let questions = requests().into_iter().map(move |request| (request, scene));
        let answers = florence.run_batch(questions).into_iter();
        answers.map(Result::unwrap).collect::<Vec<_>>()
    };
    scenes.iter().flat_map(batch).map(Said::from).collect()
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

fn ids(said: &[Said]) -> Vec<&[u32]> {
    said.iter().map(|said| &said.token_ids[..]).collect()
}

/// Asserts that every answer is the right one.
fn same(found: &[Said], right: &[Said], name: &str) {
    assert_eq!(ids(found), ids(right), "{name}: ids");
    assert!(found == right, "{name}: log-probabilities");
}

/// From several threads at once, `ask_all(i)` gives what it gives alone.
fn at_once(alone: &[Said], name: &str, ask_all: impl Fn(usize) -> Vec<Said> + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..ASKING {
            let ask_all = &ask_all;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let said = ask_all(7 * thread + round);
                    same(
                        &said,
                        alone,
                        &format!("{name}, thread {thread}, round {round}"),
                    );
                }
            });
        }
    });
}

/// To the bit where pools are of one size. How work is cut depends on it, so that between sizes
/// sums may differ in their last bits; then only ids are the same, and only where no code of a
/// quantised row tips over.
fn every_pool(precision: Precision) {
    let florence = Florence::builder().precision(precision).nano().unwrap();
    let scenes = scenes();
    let global = ask(&florence, &scenes, 0);
    at_once(&global, "global pool", |first| {
        ask(&florence, &scenes, first)
    });
    let pools = [1, 2, 3].map(pool);
    let alone = pools
        .each_ref()
        .map(|pool| pool.install(|| ask(&florence, &scenes, 0)));
    for (pool, alone) in pools.iter().zip(&alone) {
        let threads = pool.current_num_threads();
        if threads == rayon::current_num_threads() {
            same(alone, &global, "another pool of that size");
        }
        if precision == Precision::F32 {
            assert_eq!(ids(alone), ids(&global), "a pool of {threads}");
        }
        at_once(alone, &format!("one pool of {threads}"), |first| {
            pool.install(|| ask(&florence, &scenes, first))
        });
    }
    // Different pools at once, more threads than cores.
    std::thread::scope(|scope| {
        for (pool, alone) in pools.iter().zip(&alone) {
            let ask = || pool.install(|| ask(&florence, &scenes, 0));
            scope.spawn(move || same(&ask(), alone, "beside other pools"));
        }
    });
}

#[test]
fn f32_says_the_same_at_once_and_alone_in_every_pool() {
    every_pool(Precision::F32);
}

#[test]
fn q8_0_says_the_same_at_once_and_alone_in_every_pool() {
    every_pool(Precision::Q8_0);
}

#[test]
fn batches_at_once_are_batches_alone() {
    let florence = Florence::nano().unwrap();
    let scenes = scenes();
    let alone = ask_batches(&florence, &scenes);
    assert_eq!(ids(&alone), ids(&ask(&florence, &scenes, 0)));
    at_once(&alone, "batches", |_| ask_batches(&florence, &scenes));
}

#[test]
fn a_parallel_iterator_may_ask() {
    use rayon::prelude::*;

    let florence = Florence::nano().unwrap();
    let scenes = scenes();
    let requests = requests();
    for threads in 1..=3 {
        let pool = pool(threads);
        let alone = pool.install(|| ask(&florence, &scenes, 0));
        let said = pool.install(|| {
            (0..alone.len())
                .into_par_iter()
                .map(|at| {
                    let scene = &scenes[at / requests.len()];
                    Said::from(florence.run(&requests[at % requests.len()], scene).unwrap())
                })
                .collect::<Vec<_>>()
        });
        same(&said, &alone, &format!("a pool of {threads}"));
    }
}

#[test]
fn models_may_be_loaded_at_once() {
    let scenes = &scenes()[..1];
    let alone = ask(&Florence::nano().unwrap(), scenes, 0);
    at_once(&alone, "loading", |first| {
        ask(&Florence::nano().unwrap(), scenes, first)
    });
}
