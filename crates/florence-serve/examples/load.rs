//! Load test over loopback: requests accepted, answered, refused and lost, and their latency, with
//! batch sizes 1 and 8.
//!
//! ```sh
//! cargo run --release -p florence-serve --example load -- 16 240
//! ```
//!
//! The numbers are those of clients and of requests in all.

#[path = "../tests/client/mod.rs"]
mod client;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::Running;
use florence_serve::Limits;
use serde_json::json;

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");
/// Places in the queue: fewer than clients, so that some are refused.
const QUEUE: usize = 12;

/// Results of the requests.
#[derive(Debug, Default)]
struct Tally {
    answered: Vec<Duration>,
    refused: usize,
    lost: usize,
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| {
        let wrong = |_| panic!("{number:?}: expected a number");
        number.parse::<usize>().unwrap_or_else(wrong)
    });
    let clients = numbers.next().unwrap_or(16);
    let requests = numbers.next().unwrap_or(240);
    println!("{clients} clients, {requests} requests, queue of {QUEUE}");
    println!("| batch size | accepted | answered | refused | lost | per second | p50 | p95 |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for batch in [1, 8, 1, 8] {
        let limits = Limits::new().queue(QUEUE).batch(batch);
        let server = Running::start(limits);
        warm_up(&server);
        let start = Instant::now();
        let mut tally = load(&server, clients, requests);
        let time = start.elapsed().as_secs_f64();
        server.wait();
        tally.answered.sort();
        let answered = tally.answered.len();
        let at = |share: f64| {
            let index = (share * answered as f64) as usize;
            tally
                .answered
                .get(index)
                .map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        println!(
            "| {batch} | {} | {answered} | {} | {} | {:.1} | {:.0} ms | {:.0} ms |",
            requests - tally.refused,
            tally.refused,
            tally.lost,
            answered as f64 / time,
            at(0.5),
            at(0.95),
        );
        assert_eq!(tally.lost, 0, "accepted requests that got no answer");
    }
}

fn body() -> serde_json::Value {
    json!({
        "image": BASE64_STANDARD.encode(SCENE),
        "questions": [{ "task": "od" }, { "task": "caption" }],
    })
}

fn warm_up(server: &Running) {
    assert_eq!(server.run(&body()).status, 200);
}

fn load(server: &Running, clients: usize, requests: usize) -> Tally {
    let tally = Mutex::new(Tally::default());
    let left = AtomicUsize::new(requests);
    let body = body();
    let take = || {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
    };
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while take() {
                    let start = Instant::now();
                    let reply = server.run(&body);
                    let time = start.elapsed();
                    let mut tally = tally.lock().unwrap();
                    match reply.status {
                        200 if reply.json()["answers"]
                            .as_array()
                            .is_some_and(|a| a.len() == 2) =>
                        {
                            tally.answered.push(time);
                        }
                        503 => {
                            tally.refused += 1;
                            drop(tally);
                            std::thread::sleep(Duration::from_millis(50));
                        }
                        _ => tally.lost += 1,
                    }
                }
            });
        }
    });
    tally.into_inner().unwrap()
}
