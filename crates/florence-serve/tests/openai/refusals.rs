//! Refusals, in the form of this API.

use florence_serve::Limits;
use serde_json::{Value, json};

use super::*;

/// Sends a body that is refused: with this status and code, for this field, in words that hold `what`.
fn refused(server: &Running, body: &Value, expected: (u16, &str, Option<&str>), what: &str) {
    let reply = server.post(PATH, body);
    let about = format!("{what}: {}", reply.text());
    let error = &reply.json()["error"];
    let (status, code, param) = expected;
    assert_eq!(reply.status, status, "{about}");
    assert_eq!(error["code"], code, "{about}");
    assert_eq!(error["param"], json!(param), "{about}");
    assert_eq!(error["type"], "invalid_request_error", "{about}");
    assert!(error["message"].as_str().unwrap().contains(what), "{about}");
}

#[test]
fn wrong_options_are_named() {
    let server = Running::start(Limits::default());
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "x" } });
    for (name, value, what) in [
        ("model", json!(1), "model: invalid type"),
        ("n", json!(2), "n is 2, expected 1"),
        ("n", json!("1"), "n: invalid type"),
        ("stream", json!("yes"), "stream: invalid type"),
        ("stream_options", json!(1), "stream_options: invalid type"),
        (
            "max_tokens",
            json!(0),
            "max_tokens is 0, expected 1 or more",
        ),
        ("max_tokens", json!(-1), "max_tokens: invalid value"),
        ("max_completion_tokens", json!("x"), "invalid type"),
        ("tools", json!([{}]), "tools: this model calls no tools"),
        ("functions", json!([{}]), "functions: "),
        ("audio", json!({ "voice": "x" }), "audio: "),
        ("logprobs", json!(true), "logprobs: "),
        ("top_logprobs", json!(2), "top_logprobs: "),
        (
            "web_search_options",
            json!({ "x": 1 }),
            "web_search_options: ",
        ),
        ("response_format", schema, "text or json_object"),
        (
            "response_format",
            json!("json"),
            "response_format: invalid type",
        ),
    ] {
        let body = with(chat("od"), name, value);
        refused(&server, &body, (400, "bad_request", Some(name)), what);
    }
    for (model, what) in [
        ("gpt-4o", "\"gpt-4o\" is not served: expected florence-nano"),
        ("florence-nano:7b", "florence-nano:TASK"),
        ("", "is not served"),
    ] {
        let body = with(chat("od"), "model", json!(model));
        let expected = (404, "model_not_found", Some("model"));
        refused(&server, &body, expected, what);
    }
    for (body, param, what) in [
        (json!([1]), None, "the JSON body"),
        (json!({}), Some("model"), "missing field `model`"),
        (
            json!({ "model": "florence-nano" }),
            Some("messages"),
            "missing field `messages`",
        ),
    ] {
        refused(&server, &body, (400, "bad_request", param), what);
    }
    server.wait();
}

#[test]
fn wrong_messages_are_named() {
    let server = Running::start(Limits::default());
    let photo = user("", SCENE)["content"][1].clone();
    let robot = json!([{ "role": "robot", "content": "x" }]);
    for (messages, what) in [
        (json!([]), "messages: expected one whose role is user"),
        (json!("od"), "messages: invalid type"),
        (json!(["od"]), "messages[0]: invalid type"),
        (
            json!([{ "content": "od" }]),
            "messages[0]: missing field `role`",
        ),
        (robot, "messages[0].role: expected user"),
    ] {
        let body = with(chat(""), "messages", messages);
        let expected = (400, "bad_request", Some("messages"));
        refused(&server, &body, expected, what);
    }
    for (content, what) in [
        (Value::Null, "messages[0].content: expected a string"),
        (json!(7), "messages[0]: expected a string or a list"),
        (json!("od"), "no photo"),
        (
            json!([photo, photo]),
            "2 photos in one message, expected one",
        ),
        (
            json!([{ "type": "text" }]),
            "messages[0].content[0]: missing field `text`",
        ),
        (
            json!([{ "type": "image_url" }]),
            "missing field `image_url`",
        ),
        (
            json!([photo, { "type": "file" }]),
            "messages[0].content[1].type: expected text",
        ),
    ] {
        let messages = json!([{ "role": "user", "content": content }]);
        let body = with(chat(""), "messages", messages);
        let expected = (400, "bad_request", Some("messages"));
        refused(&server, &body, expected, what);
    }
    server.wait();
}

#[test]
fn photos_come_in_data_urls() {
    let server = Running::start(Limits::default());
    let nothing = "messages[0].content[0].image_url: expected data:image/…;base64,…: the server fetches nothing";
    let bad = (400, "bad_request", Some("messages"));
    for (url, expected, what) in [
        ("https://example.com/a.png", bad, nothing),
        ("http://127.0.0.1/a.png", bad, nothing),
        ("file:///etc/passwd", bad, nothing),
        ("data:image/png,abc", bad, nothing),
        ("", bad, nothing),
        (
            "data:image/png;base64,?",
            bad,
            "messages[0].content[0].image_url is not base64",
        ),
        (
            "data:image/png;base64,aaaa",
            (400, "unsupported_image", None),
            "image",
        ),
        (
            "data:image/png;base64,",
            (400, "unsupported_image", None),
            "empty",
        ),
    ] {
        let parts = json!([{ "type": "image_url", "image_url": { "url": url } }]);
        let messages = json!([{ "role": "user", "content": parts }]);
        refused(
            &server,
            &with(chat(""), "messages", messages),
            expected,
            what,
        );
    }
    server.wait();
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let server = Running::start(Limits::new().max_text(50));
    let long = format!("phrase_grounding {}", "x".repeat(51));
    for (text, param, what) in [
        ("<CAPTON>", Some("messages"), "did you mean <CAPTION>?"),
        ("<OD> dogs", Some("messages"), "takes no text"),
        ("phrase_grounding", Some("messages"), "needs text"),
        (
            "region_to_ocr: here",
            Some("messages"),
            "expected x1,y1,x2,y2",
        ),
        (&long, Some("messages"), "longer than 50"),
        // Known only once the photo is.
        ("region_to_ocr: 0,0,9000,1", None, "9000"),
    ] {
        refused(&server, &chat(text), (400, "invalid_question", param), what);
    }
    server.wait();
}

#[test]
fn a_failure_in_a_stream_is_an_event() {
    let server = Running::start(Limits::default());
    let reply = server.post(
        PATH,
        &with(chat("region_to_ocr: 0,0,9000,1"), "stream", json!(true)),
    );
    assert_eq!(reply.status, 200);
    assert!(!reply.text().contains("[DONE]"));
    let last = reply
        .text()
        .split("\n\n")
        .filter(|block| !block.is_empty())
        .last();
    let error: Value = serde_json::from_str(last.unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "invalid_question");
    // What is known before is a status.
    let reply = server.post(PATH, &with(chat("<OD> x"), "stream", json!(true)));
    assert_eq!(reply.status, 400);
    server.wait();
}

#[test]
fn the_servers_own_errors_have_the_same_form() {
    let limits = Limits::new()
        .max_bytes(60_000)
        .request_time(std::time::Duration::ZERO);
    let server = Running::start(limits);
    let body = chat("od").to_string();
    let ask = |method: &str, headers: &[(&str, &str)], body: &[u8]| {
        server.send(method, PATH, headers, body)
    };
    let large = vec![b' '; 60_001];
    for (reply, status, code, kind) in [
        (
            ask("POST", &[("host", "evil.example")], b""),
            403,
            "host_not_allowed",
            "invalid_request_error",
        ),
        (
            ask("POST", &[("origin", "http://evil.example")], b""),
            403,
            "origin_not_allowed",
            "invalid_request_error",
        ),
        (
            ask("GET", &[], b""),
            405,
            "wrong_method",
            "invalid_request_error",
        ),
        (
            ask("POST", &[], &large),
            413,
            "too_large",
            "invalid_request_error",
        ),
        (
            ask("POST", &[], body.as_bytes()),
            504,
            "deadline_exceeded",
            "server_error",
        ),
    ] {
        assert_eq!(reply.status, status, "{code}: {}", reply.text());
        let error = &reply.json()["error"];
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!(code), &json!(kind))
        );
        assert_eq!(error["param"], Value::Null);
    }
    server.wait();
    let server = Running::start(Limits::new().queue(0));
    let reply = server.post(PATH, &chat("od"));
    assert_eq!(reply.status, 503);
    assert!(reply.head.contains("retry-after: "), "{}", reply.head);
    assert_eq!(reply.json()["error"]["code"], "overloaded");
    server.wait();
}
