//! Cancellation: no further questions for clients that are gone or past their deadline.

mod client;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::{Running, head};
use florence_serve::Limits;
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");

/// The caption of a question that is a hundred.
fn long_caption() -> String {
    let colors = ["red", "green", "blue", "cyan", "black", "pink"];
    let shapes = ["heart", "star", "arrow", "circle"];
    let phrases = colors
        .iter()
        .flat_map(|color| shapes.map(|shape| format!("a {color} {shape}")));
    phrases.collect::<Vec<_>>().join(", ")
}

fn long_cascade() -> Value {
    json!({
        "image": BASE64_STANDARD.encode(SCENE),
        "questions": [{ "task": "check_caption", "text": long_caption() }],
        "options": { "num_beams": 8 },
    })
}

/// A figure of the metrics; 0 where there is none yet.
fn figure(server: &Running, name: &str) -> f64 {
    let metrics = server.get("/metrics");
    let mut lines = metrics.text().lines();
    let figure = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    figure.unwrap_or_default()
}

/// Seconds that the model worked, once it has nothing to do.
fn busy(server: &Running) -> f64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    while figure(server, "florence_requests_waiting") > 0.0 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    figure(server, "florence_model_busy_seconds_total")
}

/// Sends the question, leaves once a tenth of its time is over, and gives the share of its time that
/// the model worked for it.
fn share_of_work(path: &str, body: &Value, accept: &str, leave: fn(std::net::TcpStream)) -> f64 {
    let server = Running::start(Limits::default());
    assert_eq!(server.post(path, body).status, 200);
    let body = body.to_string();
    let whole = busy(&server);
    let headers = [("content-type", "application/json"), ("accept", accept)];
    let mut stream = server.connect();
    stream
        .write_all(&head("POST", path, server.address, &headers, body.len()))
        .unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    while figure(&server, "florence_requests_waiting") < 1.0 {}
    std::thread::sleep(Duration::from_secs_f64(whole / 10.0));
    leave(stream);
    let share = (busy(&server) - whole) / whole;
    assert_eq!(
        figure(
            &server,
            r#"florence_request_seconds_count{result="abandoned"}"#
        ),
        1.0
    );
    // It was neither answered nor did it fail.
    let answered = r#"florence_questions_total{task="check_caption",result="answered"}"#;
    assert_eq!(figure(&server, answered), 1.0);
    assert_eq!(server.get("/healthz").status, 200);
    server.wait();
    share
}

#[test]
fn a_client_that_leaves_ends_its_cascade() {
    for accept in ["application/json", "text/event-stream"] {
        let share = share_of_work("/v1/run", &long_cascade(), accept, drop);
        assert!(share < 0.7, "{accept}: {share} of the work was done");
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_the_stream_ends_its_cascade() {
    let body = long_cascade();
    let share = share_of_work("/v1/run", &body, "text/event-stream", |mut stream| {
        let mut some = [0; 64];
        assert!(stream.read(&mut some).unwrap() > 0, "the photo was seen");
    });
    assert!(share < 0.7, "{share} of the work was done");
}

#[test]
fn a_client_that_leaves_ends_its_chat() {
    let text = format!("check_caption: {}", long_caption());
    let image = BASE64_STANDARD.encode(SCENE);
    let parts = json!([
        { "type": "text", "text": text },
        { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{image}") } },
    ]);
    let completion =
        json!({ "model": "florence-nano", "messages": [{ "role": "user", "content": parts }] });
    let generate = json!({ "model": "florence-nano", "prompt": text, "images": [image] });
    for (path, mut body) in [
        ("/v1/chat/completions", completion),
        ("/api/generate", generate),
    ] {
        for stream in [false, true] {
            body["stream"] = json!(stream);
            let share = share_of_work(path, &body, "*/*", drop);
            assert!(
                share < 0.7,
                "{path}, {stream}: {share} of the work was done"
            );
        }
    }
}

#[test]
fn a_cascade_ends_when_its_time_is_over() {
    let measured = Running::start(Limits::default());
    assert_eq!(measured.run(&long_cascade()).status, 200);
    let whole = busy(&measured);
    measured.wait();
    let server = Running::start(Limits::new().request_time(Duration::from_secs_f64(whole / 5.0)));
    let (status, code, _) = server.run(&long_cascade()).error();
    assert_eq!((status, code.as_str()), (504, "deadline_exceeded"));
    let share = busy(&server) / whole;
    assert!(share < 0.7, "{share} of the work was done");
    server.wait();
}
