//! Answers, and what the model is.

use florence_serve::Limits;
use serde_json::{Value, json};

use super::*;

const DURATIONS: [&str; 4] = [
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
];

#[test]
fn answers_are_those_of_run() {
    let server = Running::start(Limits::default());
    let caption = run(&server, "caption")["value"]["text"].clone();
    let reply = server.post("/api/generate", &generate("<CAPTION>"));
    assert!(
        reply.head.contains("florence-task: caption"),
        "{}",
        reply.head
    );
    let reply = reply.json();
    assert_eq!(reply["response"], caption);
    assert_eq!(reply["model"], "florence-nano");
    assert_eq!(
        (&reply["done"], &reply["done_reason"]),
        (&json!(true), &json!("stop"))
    );
    let created = reply["created_at"].as_str().unwrap();
    assert!(
        created.starts_with("20") && created.ends_with('Z'),
        "{created}"
    );
    for count in [
        "prompt_eval_count",
        "eval_count",
        "total_duration",
        "prompt_eval_duration",
        "eval_duration",
    ] {
        assert!(reply[count].as_u64().unwrap() > 0, "{count}");
    }
    let parts = ["prompt_eval_duration", "eval_duration"].map(|name| reply[name].as_u64().unwrap());
    assert!(parts.iter().sum::<u64>() <= reply["total_duration"].as_u64().unwrap());

    let reply = server.post("/api/chat", &chat("caption")).json();
    assert_eq!(
        reply["message"],
        json!({ "role": "assistant", "content": caption })
    );
    for task in ["od", "detect_and_describe"] {
        let said: Value = serde_json::from_str(&response(&server, &generate(task))).unwrap();
        assert_eq!(said, run(&server, task));
    }
    let said = response(&server, &with(generate("caption"), "format", json!("json")));
    assert_eq!(
        serde_json::from_str::<Value>(&said).unwrap(),
        run(&server, "caption")
    );
    server.wait();
}

#[test]
fn a_stream_is_lines_unless_it_is_not_wanted() {
    let server = Running::start(Limits::default());
    for stream in [json!(true), Value::Null] {
        for (path, body) in [("/api/generate", generate("od")), ("/api/chat", chat("od"))] {
            let whole = server.post(path, &body).json();
            let reply = server.post(path, &with(body, "stream", stream.clone()));
            assert!(
                reply.head.contains("content-type: application/x-ndjson"),
                "{}",
                reply.head
            );
            let lines = reply.lines();
            let [first, last] = &lines[..] else {
                panic!("{lines:?}")
            };
            for name in ["response", "message"] {
                assert_eq!(first.get(name), whole.get(name), "{path}");
            }
            assert_eq!(
                (&first["done"], &last["done"]),
                (&json!(false), &json!(true))
            );
            assert_eq!(last["done_reason"], "stop");
            assert_eq!(last["eval_count"], whole["eval_count"]);
            let empty = if path == "/api/chat" {
                &last["message"]["content"]
            } else {
                &last["response"]
            };
            assert_eq!(empty, "");
            for name in DURATIONS {
                assert!(last[name].is_u64(), "{name}");
                assert!(first.get(name).is_none(), "{name}");
            }
        }
    }
    server.wait();
}

#[test]
fn a_sentence_is_answered_by_the_task_of_the_model() {
    let server = Running::start_with(Limits::default(), |server| server.with_alias("llava:7b"));
    let words = json!([BASE64_STANDARD.encode(WORDS)]);
    let ask = |model: &str, prompt: &str| {
        let body = with(generate(prompt), "images", words.clone());
        response(&server, &with(body, "model", json!(model)))
    };
    let described = ask("florence-nano", "more_detailed_caption");
    let read = ask("florence-nano", "ocr");
    for model in [
        "florence-nano",
        "florence-nano:latest",
        "llava:7b",
        "LLaVA:7b:latest",
    ] {
        assert_eq!(ask(model, "What is in this picture?"), described, "{model}");
    }
    for model in ["florence-nano:ocr", "llava:7b:ocr"] {
        assert_eq!(ask(model, "What is in this picture?"), read, "{model}");
        assert_eq!(ask(model, ""), read, "{model}");
    }
    server.wait();
}

#[test]
fn a_follow_up_is_about_the_last_photo() {
    let server = Running::start(Limits::default());
    let body = json!({ "model": "florence-nano", "stream": false, "messages": [
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "od", "images": [BASE64_STANDARD.encode(WORDS)] },
        { "role": "assistant", "content": "…" },
        { "role": "user", "content": "od", "images": [photo()] },
        { "role": "assistant", "content": "…" },
        { "role": "user", "content": "caption" },
    ] });
    let said = server.post("/api/chat", &body).json()["message"]["content"].clone();
    assert_eq!(said, run(&server, "caption")["value"]["text"]);
    server.wait();
}

#[test]
fn tokens_are_limited_by_num_predict() {
    let server = Running::start(Limits::new().max_new_tokens(10));
    for (predict, tokens) in [
        (json!(3), 3),
        (json!(1e9 as u64), 10),
        (json!(-1), 10),
        (json!(0), 10),
        (Value::Null, 10),
    ] {
        let options =
            json!({ "num_predict": predict, "temperature": 0.1, "num_ctx": 4096, "stop": ["x"] });
        let reply = server
            .post("/api/generate", &with(generate("od"), "options", options))
            .json();
        assert_eq!(reply["eval_count"], tokens, "{predict}");
        assert_eq!(reply["done_reason"], "length", "{predict}");
    }
    server.wait();
}

#[test]
fn without_a_question_the_model_is_loaded() {
    let server = Running::start(Limits::default());
    for (path, body) in [
        ("/api/generate", json!({ "model": "florence-nano" })),
        (
            "/api/generate",
            json!({ "model": "florence-nano:latest", "prompt": "", "keep_alive": "5m" }),
        ),
        ("/api/chat", json!({ "model": "florence-nano" })),
        (
            "/api/chat",
            json!({ "model": "florence-nano", "messages": [], "stream": false }),
        ),
    ] {
        let reply = server.post(path, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.lines().len(), 1);
        let reply = reply.json();
        assert_eq!(
            (&reply["done"], &reply["done_reason"]),
            (&json!(true), &json!("load"))
        );
    }
    for path in ["/api/generate", "/api/chat"] {
        assert_eq!(server.post(path, &json!({ "model": "llava" })).status, 404);
    }
    server.wait();
}

#[test]
fn the_model_is_listed_and_shown() {
    let server = Running::start_with(Limits::default(), |server| server.with_alias("llava"));
    let tags = server.get("/api/tags").json();
    let models = tags["models"].as_array().unwrap();
    assert_eq!(models.len(), 2 * 25);
    let names: Vec<&str> = models
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    for name in ["florence-nano:latest", "florence-nano:ocr", "llava:latest"] {
        assert!(names.contains(&name), "{name}");
    }
    let mut digests: Vec<&str> = models
        .iter()
        .map(|one| one["digest"].as_str().unwrap())
        .collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(
        digests.len(),
        models.len(),
        "clients take one digest for one model"
    );
    assert_eq!(models[0]["details"]["parameter_size"], "3.5M");
    for body in [
        json!({ "model": "florence-nano" }),
        json!({ "name": "llava:ocr", "verbose": true }),
    ] {
        let shown = server.post("/api/show", &body).json();
        assert_eq!(shown["capabilities"], json!(["completion", "vision"]));
        assert_eq!(shown["details"]["family"], "florence2");
        assert!(
            shown["model_info"]["general.parameter_count"]
                .as_u64()
                .unwrap()
                > 3_000_000
        );
    }
    for (body, status) in [
        (json!({ "model": "x" }), 404),
        (json!({}), 400),
        (json!(1), 400),
    ] {
        assert_eq!(server.post("/api/show", &body).status, status, "{body}");
    }
    let version = server.get("/api/version").json()["version"].clone();
    assert_eq!(version.as_str().unwrap().split('.').count(), 3);
    server.wait();
}
