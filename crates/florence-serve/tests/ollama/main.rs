//! Ollama's API.

mod answers;
#[path = "../client/mod.rs"]
mod client;
mod refusals;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::Running;
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../../samples/shapes.png");
const WORDS: &[u8] = include_bytes!("../../samples/words.png");

fn photo() -> String {
    BASE64_STANDARD.encode(SCENE)
}

fn generate(prompt: &str) -> Value {
    json!({ "model": "florence-nano", "prompt": prompt, "images": [photo()], "stream": false })
}

fn chat(text: &str) -> Value {
    let message = json!({ "role": "user", "content": text, "images": [photo()] });
    json!({ "model": "florence-nano", "messages": [message], "stream": false })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// The text of a `prompt`'s answer.
fn response(server: &Running, body: &Value) -> String {
    let reply = server.post("/api/generate", body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["response"].as_str().unwrap().to_owned()
}

/// The answer of `/v1/run` to one question.
fn run(server: &Running, task: &str) -> Value {
    let body = json!({ "image": photo(), "questions": [{ "task": task }] });
    server.run(&body).json()["answers"][0]["value"].clone()
}
