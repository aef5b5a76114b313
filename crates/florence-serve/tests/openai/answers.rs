//! Completions and models.

use florence_serve::Limits;
use florence_tasks::{Caption, Florence, MoreDetailedCaption, Ocr};
use serde_json::{Value, json};

use super::*;

#[test]
fn a_completion_is_the_answer_of_the_task() {
    let server = Running::start(Limits::default());
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(SCENE).unwrap();
    let caption = florence.run(Caption, &image).unwrap();
    let reply = server.post(PATH, &chat("<CAPTION>"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply.head.contains("florence-task: caption"),
        "{}",
        reply.head
    );
    let whole = reply.json();
    assert_eq!(whole["object"], "chat.completion");
    assert_eq!(whole["model"], "florence-nano");
    let choice = &whole["choices"][0];
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["message"]["content"], caption.value.text);
    assert_eq!(choice["finish_reason"], "stop");
    let usage = &whole["usage"];
    let tokens = florence
        .tokenizer()
        .encode("What does the image describe?")
        .unwrap();
    let config = florence.model().config();
    let visual = config.visual_tokens(config.image.resize.unwrap()).unwrap();
    assert_eq!(usage["prompt_tokens"], visual + tokens.len());
    // The start token is given.
    let generated = caption.token_ids.len() - 1;
    assert_eq!(usage["completion_tokens"], generated);
    let total = visual + tokens.len() + generated;
    assert_eq!(usage["total_tokens"], total);
    server.wait();
}

#[test]
fn tasks_with_boxes_answer_with_the_json_of_run() {
    let server = Running::start(Limits::default());
    let image = BASE64_STANDARD.encode(SCENE);
    let long = "a green triangle";
    let region = json!([100, 100, 200, 180]);
    for (text, question) in [
        ("od", json!({ "task": "od" })),
        (
            "phrase_grounding: a green triangle",
            json!({ "task": "phrase_grounding", "text": long }),
        ),
        (
            "<CAPTION_TO_PHRASE_GROUNDING> a green triangle",
            json!({ "task": "phrase_grounding", "text": long }),
        ),
        (
            "region_to_segmentation 100,100,200,180",
            json!({ "task": "region_to_segmentation", "region": region }),
        ),
        (
            "caption_and_ground",
            json!({ "task": "caption_and_ground" }),
        ),
    ] {
        let run = server.run(&json!({ "image": image, "questions": [question] }));
        let said: Value = serde_json::from_str(&content(&server, &chat(text))).unwrap();
        assert_eq!(said, run.json()["answers"][0]["value"], "{text}");
        assert!(said["form"].is_string(), "{text}");
    }
    // JSON of a text task, if that is asked for.
    let body = with(
        chat("caption"),
        "response_format",
        json!({ "type": "json_object" }),
    );
    let said: Value = serde_json::from_str(&content(&server, &body)).unwrap();
    assert_eq!(said["form"], "text");
    assert_eq!(said["value"]["text"], content(&server, &chat("caption")));
    server.wait();
}

#[test]
fn a_sentence_is_answered_by_the_task_of_the_model() {
    let server = Running::start_with(Limits::default(), |server| server.with_alias("gpt-4o:x"));
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(WORDS).unwrap();
    let described = florence
        .run(MoreDetailedCaption, &image)
        .unwrap()
        .value
        .text;
    let read = florence.run(Ocr, &image).unwrap().value.text;
    assert_ne!(described, read);
    let asked = "Describe this image in detail.";
    for (model, text, expected) in [
        ("florence-nano", asked, &described),
        ("Florence-Nano:latest", asked, &described),
        ("florence-nano:ocr", asked, &read),
        ("florence-nano:OCR", "", &read),
        ("gpt-4o:x", asked, &described),
        ("gpt-4o:x:ocr", asked, &read),
        // What the text names comes first.
        ("florence-nano:od", "ocr", &read),
    ] {
        let body = json!({ "model": model, "messages": [user(text, WORDS)] });
        assert_eq!(&content(&server, &body), expected, "{model}: {text}");
    }
    // A tag whose task takes an input: the sentence is it.
    let body = with(
        chat("a green triangle"),
        "model",
        json!("florence-nano:phrase_grounding"),
    );
    let marked = chat("phrase_grounding: a green triangle");
    assert_eq!(content(&server, &body), content(&server, &marked));
    server.wait();
}

#[test]
fn the_last_message_of_the_user_is_the_question() {
    let server = Running::start(Limits::default());
    let read = content(
        &server,
        &json!({ "model": "florence-nano", "messages": [user("ocr", WORDS)] }),
    );
    let body = json!({ "model": "florence-nano", "messages": [
        { "role": "system", "content": "You are a pirate." },
        { "role": "developer", "content": [{ "type": "text", "text": "<OD>" }] },
        user("od", SCENE),
        { "role": "assistant", "content": null },
        user("caption", WORDS),
        { "role": "assistant", "content": "Words.", "name": "x" },
        { "role": "user", "content": "ocr" },
    ] });
    assert_eq!(content(&server, &body), read);
    let parts = json!([
        { "type": "image_url", "image_url": url(SCENE) },
        { "type": "text", "text": "phrase_grounding:" },
        { "type": "text", "text": "a green triangle" },
    ]);
    let body =
        json!({ "model": "florence-nano", "messages": [{ "role": "user", "content": parts }] });
    let whole = content(&server, &chat("phrase_grounding: a green triangle"));
    assert_eq!(content(&server, &body), whole);
    server.wait();
}

#[test]
fn a_stream_is_chunks_of_the_same() {
    let server = Running::start(Limits::default());
    for text in ["caption", "od", "detect_and_describe"] {
        let whole = content(&server, &chat(text));
        for usage in [false, true] {
            let body = with(chat(text), "stream", json!(true));
            let options = json!({ "include_usage": usage });
            let reply = server.post(PATH, &with(body, "stream_options", options));
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert!(
                reply.head.contains("content-type: text/event-stream"),
                "{}",
                reply.head
            );
            assert!(reply.head.contains(&format!("florence-task: {text}")));
            let chunks = reply.chunks();
            assert_eq!(chunks.len(), 3 + usize::from(usage));
            assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
            let deltas = chunks[..3]
                .iter()
                .map(|chunk| &chunk["choices"][0]["delta"]["content"]);
            let said: String = deltas.filter_map(Value::as_str).collect();
            assert_eq!(said, whole);
            let ends: Vec<_> = chunks[..3]
                .iter()
                .map(|c| &c["choices"][0]["finish_reason"])
                .collect();
            assert_eq!(json!(ends), json!([null, null, "stop"]));
            for chunk in &chunks {
                assert_eq!(chunk["object"], "chat.completion.chunk");
                assert_eq!(chunk["id"], chunks[0]["id"]);
                assert_eq!(chunk.get("usage").is_some(), usage);
            }
            if usage {
                assert_eq!(chunks[3]["choices"], json!([]));
                assert!(chunks[3]["usage"]["completion_tokens"].as_u64().unwrap() > 0);
            }
        }
    }
    server.wait();
}

#[test]
fn a_token_limit_cuts_an_answer_and_says_so() {
    let server = Running::start(Limits::new().max_new_tokens(10));
    for (name, value, tokens, finish) in [
        ("max_tokens", json!(3), 3, "length"),
        ("max_completion_tokens", json!(5), 5, "length"),
        ("max_tokens", json!(100_000_000_000_u64), 10, "length"),
        ("max_tokens", Value::Null, 10, "length"),
    ] {
        let reply = server
            .post(PATH, &with(chat("od"), name, value.clone()))
            .json();
        assert_eq!(
            reply["usage"]["completion_tokens"], tokens,
            "{name} {value}"
        );
        assert_eq!(
            reply["choices"][0]["finish_reason"], finish,
            "{name} {value}"
        );
    }
    server.wait();
}

#[test]
fn what_other_models_take_has_no_effect() {
    let server = Running::start(Limits::default());
    let mut body = chat("caption");
    for (name, value) in [
        ("temperature", json!(0.7)),
        ("top_p", json!(0.1)),
        ("seed", json!(1)),
        ("stop", json!(["."])),
        ("presence_penalty", json!(1)),
        ("frequency_penalty", json!(1)),
        ("logit_bias", json!({ "5": 1 })),
        ("user", json!("me")),
        ("store", json!(true)),
        ("metadata", json!({ "a": "b" })),
        ("reasoning_effort", json!("high")),
        ("parallel_tool_calls", json!(false)),
        ("tool_choice", json!("none")),
        ("tools", json!([])),
        ("logprobs", json!(false)),
        ("n", json!(1)),
        ("response_format", json!({ "type": "text" })),
        ("keep_alive", json!(-1)),
    ] {
        body[name] = value;
    }
    assert_eq!(content(&server, &body), content(&server, &chat("caption")));
    // The type of the body is not looked at.
    let reply = server.send("POST", PATH, &[], chat("caption").to_string().as_bytes());
    assert_eq!(reply.status, 200);
    server.wait();
}

#[test]
fn models_are_the_names_of_the_model() {
    let server = Running::start_with(Limits::default(), |server| server.with_alias("owner/llava"));
    let list = server.get("/v1/models").json();
    assert_eq!(list["object"], "list");
    let ids: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2 * 25);
    for id in [
        "florence-nano",
        "florence-nano:od",
        "florence-nano:detect_and_segment",
        "owner/llava",
        "owner/llava:ocr",
    ] {
        assert!(ids.contains(&id), "{id}");
        let one = server.get(&format!("/v1/models/{id}"));
        assert_eq!(one.json()["id"], id);
        let escaped = id.replace('/', "%2F").replace(':', "%3A");
        let one = server.get(&format!("/v1/models/{escaped}"));
        assert_eq!(one.json()["id"], id);
    }
    let reply = server.get("/v1/models/gpt-4o");
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["error"]["code"], "model_not_found");
    server.wait();
}
