//! OpenAI's API.

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
const PATH: &str = "/v1/chat/completions";

fn url(photo: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(photo))
}

/// A message of the user.
fn user(text: &str, photo: &[u8]) -> Value {
    json!({ "role": "user", "content": [
        { "type": "text", "text": text },
        { "type": "image_url", "image_url": { "url": url(photo), "detail": "high" } },
    ] })
}

fn chat(text: &str) -> Value {
    json!({ "model": "florence-nano", "messages": [user(text, SCENE)] })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// The text of an answer.
fn content(server: &Running, body: &Value) -> String {
    let reply = server.post(PATH, body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let content = &reply.json()["choices"][0]["message"]["content"];
    content.as_str().unwrap().to_owned()
}
