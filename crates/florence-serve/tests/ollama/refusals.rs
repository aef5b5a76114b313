//! Refusals, in the form of this API.

use florence_serve::Limits;
use serde_json::json;

use super::*;

#[test]
fn wrong_requests_name_the_field() {
    let server = Running::start(Limits::default());
    let ask = |body: &Value| {
        let path = if body.get("messages").is_some() {
            "/api/chat"
        } else {
            "/api/generate"
        };
        server.post(path, body)
    };
    let message = |message: Value| with(chat(""), "messages", json!([message]));
    for (body, status, what) in [
        (json!([1]), 400, "the JSON body"),
        (json!({ "prompt": "od" }), 400, "missing field `model`"),
        (
            with(generate("od"), "model", json!("llava")),
            404,
            "\"llava\" is not served: expected florence-nano",
        ),
        (
            with(chat("od"), "model", json!("florence-nano:7b")),
            404,
            "florence-nano:TASK",
        ),
        (
            with(generate("od"), "prompt", json!(1)),
            400,
            "prompt: invalid type",
        ),
        (
            with(generate("od"), "images", json!("x")),
            400,
            "images: invalid type",
        ),
        (
            with(generate("od"), "images", json!(["?"])),
            400,
            "images[0] is not base64",
        ),
        (
            with(generate("od"), "images", json!(["aaaa"])),
            400,
            "image",
        ),
        (with(generate("od"), "images", json!([])), 400, "no photo"),
        (
            with(generate("od"), "images", json!([photo(), photo()])),
            400,
            "2 photos",
        ),
        (generate("<CAPTON>"), 400, "did you mean <CAPTION>?"),
        (generate("<OD> dogs"), 400, "takes no text"),
        (generate("region_to_ocr: 0,0,9000,1"), 400, "9000"),
        (with(generate("od"), "suffix", json!("x")), 400, "suffix: "),
        (with(generate("od"), "raw", json!(true)), 400, "raw: "),
        (with(generate("od"), "think", json!("high")), 400, "think: "),
        (
            with(generate("od"), "logprobs", json!(true)),
            400,
            "logprobs: ",
        ),
        (
            with(generate("od"), "format", json!({ "type": "object" })),
            400,
            "format: expected \"json\"",
        ),
        (
            with(generate("od"), "format", json!("xml")),
            400,
            "format: expected \"json\"",
        ),
        (
            with(generate("od"), "options", json!("x")),
            400,
            "options: invalid",
        ),
        (
            with(generate("od"), "options", json!({ "num_predict": "x" })),
            400,
            "options: invalid type",
        ),
        (
            with(generate("od"), "stream", json!(1)),
            400,
            "stream: invalid type",
        ),
        (
            with(chat("od"), "tools", json!([{}])),
            400,
            "calls no tools",
        ),
        (
            with(chat("od"), "messages", json!(1)),
            400,
            "messages: invalid type",
        ),
        (message(json!("od")), 400, "messages[0]: "),
        (
            message(json!({ "content": "od" })),
            400,
            "missing field `role`",
        ),
        (
            message(json!({ "role": "robot" })),
            400,
            "messages[0].role: expected user",
        ),
        (message(json!({ "role": "assistant" })), 400, "role is user"),
        (
            message(json!({ "role": "user", "content": "od" })),
            400,
            "no photo",
        ),
        (
            message(json!({ "role": "user", "content": "od", "images": ["?"] })),
            400,
            "messages[0].images[0] is not base64",
        ),
    ] {
        let reply = ask(&body);
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        let json = reply.json();
        let message = json["error"].as_str().unwrap();
        assert!(message.contains(what), "{what}: {message}");
    }
    // The answer begins before its question fails.
    let reply = server.post(
        "/api/chat",
        &with(chat("region_to_ocr 0,0,9000,1"), "stream", json!(true)),
    );
    assert_eq!(reply.status, 200);
    let lines = reply.lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0]["error"].as_str().unwrap().contains("9000"));
    server.wait();
}

#[test]
fn the_servers_own_errors_have_the_same_form() {
    let server = Running::start(Limits::new().queue(0));
    let evil = [("host", "evil.example")];
    for (reply, status, what) in [
        (
            server.post("/api/chat", &chat("od")),
            503,
            "too many requests",
        ),
        (
            server.send("GET", "/api/tags", &evil, b""),
            403,
            "host \"evil.example\" is not allowed",
        ),
        (
            server.get("/api/generate"),
            405,
            "not allowed at this address",
        ),
        (
            server.post("/api/pull", &json!({ "model": "llava" })),
            404,
            "nothing at",
        ),
        (server.post("/api/embed", &json!({})), 404, "nothing at"),
    ] {
        assert_eq!(reply.status, status, "{}", reply.text());
        let json = reply.json();
        assert!(json["error"].as_str().unwrap().contains(what), "{json}");
        assert_eq!(reply.head.contains("retry-after: "), status == 503);
    }
    server.wait();
}
