//! The API as clients see it, over real connections.

mod client;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::Running;
use florence_serve::Limits;
use florence_tasks::{BBox, Caption, DetectAndDescribe, Florence, Od, RegionToCategory};
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");

fn photo() -> String {
    BASE64_STANDARD.encode(SCENE)
}

fn ask(questions: Value) -> Value {
    json!({ "image": photo(), "questions": questions })
}

#[test]
fn answers_are_those_of_the_library() {
    let server = Running::start(Limits::default());
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(SCENE).unwrap();
    let region = [100.0, 100.0, 200.0, 180.0];
    let reply = server.run(&ask(json!([
        { "task": "caption" },
        { "task": "<OD>" },
        { "task": "region_to_category", "region": region },
        { "task": "detect_and_describe" },
    ])));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply = reply.json();
    assert_eq!(
        reply["size"],
        json!({ "width": image.width(), "height": image.height() })
    );
    let answer = |index: usize| &reply["answers"][index];

    let caption = florence.run(Caption, &image).unwrap();
    assert_eq!(
        answer(0)["value"],
        json!({ "form": "text", "value": *caption })
    );
    assert_eq!(answer(0)["raw_text"], caption.raw_text);
    let objects = florence.run(Od, &image).unwrap();
    assert_eq!(answer(1)["task"], "od");
    assert_eq!(
        answer(1)["value"],
        json!({ "form": "boxes", "value": *objects })
    );
    assert!(!objects.is_empty());
    let category = florence
        .run(RegionToCategory(BBox::from(region)), &image)
        .unwrap();
    assert_eq!(answer(2)["value"]["value"]["text"], category.text);
    let described = florence.cascade(DetectAndDescribe, &image).unwrap();
    let texts = |value: &Value| -> Vec<Value> {
        let things = value.as_array().unwrap().iter();
        things
            .map(|thing| thing["description"]["text"].clone())
            .collect()
    };
    assert_eq!(answer(3)["value"]["form"], "described");
    assert_eq!(
        texts(&answer(3)["value"]["value"]),
        texts(&json!(described.value))
    );
    server.wait();
}

#[test]
fn a_form_a_stream_and_a_known_photo_give_the_same() {
    let server = Running::start(Limits::default());
    let questions =
        json!([{ "task": "od" }, { "task": "caption" }, { "task": "caption_and_ground" }]);
    let whole = server.run(&ask(questions.clone())).json();

    let request = json!({ "questions": questions }).to_string();
    let fields: [(&str, &[u8]); 2] = [("image", SCENE), ("request", request.as_bytes())];
    let streamed = server.run_form(&fields, &[("accept", "text/event-stream")]);
    assert_eq!(streamed.status, 200);
    assert!(streamed.head.contains("content-type: text/event-stream"));
    let events = streamed.events();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["image", "answer", "answer", "answer", "done"]);
    for (index, (_, answer)) in events[1..4].iter().enumerate() {
        assert_eq!(answer["index"], index);
        assert_eq!(answer["value"], whole["answers"][index]["value"]);
    }

    let id = events[0].1["image_id"].as_str().unwrap();
    let known = server.run(&json!({ "image_id": id, "questions": questions }));
    assert_eq!(
        known.json()["answers"][0]["value"],
        whole["answers"][0]["value"]
    );
    let form: [(&str, &[u8]); 2] = [("image_id", id.as_bytes()), ("request", request.as_bytes())];
    let known = server.run_form(&form, &[]);
    assert_eq!(
        known.json()["answers"][1]["value"],
        whole["answers"][1]["value"]
    );
    assert_ne!(whole["image_id"], id, "every upload has a name of its own");
    server.wait();
}

#[test]
fn a_wrong_question_does_not_take_the_others_with_it() {
    let server = Running::start(Limits::default());
    let reply = server.run(&ask(json!([
        { "task": "caption" },
        { "task": "region_to_ocr", "region": [0, 0, 5000, 5000] },
    ])));
    let answers = reply.json()["answers"].clone();
    assert!(answers[0]["value"]["value"]["text"].is_string());
    let message = answers[1]["error"]["message"].as_str().unwrap();
    assert!(message.contains("0,0,5000,5000"), "{message}");
    assert_eq!(answers[1]["index"], 1);
    server.wait();
}

#[test]
fn the_oldest_photo_is_forgotten() {
    let server = Running::start(Limits {
        images: 2,
        ..Limits::default()
    });
    let questions = json!([{ "task": "caption" }]);
    let ids: Vec<Value> = (0..3)
        .map(|_| server.run(&ask(questions.clone())).json()["image_id"].clone())
        .collect();
    let about = |id: &Value| server.run(&json!({ "image_id": id, "questions": questions }));
    let (status, code, _) = about(&ids[0]).error();
    assert_eq!((status, code.as_str()), (404, "unknown_image"));
    assert_eq!(about(&ids[1]).status, 200);
    assert_eq!(about(&ids[2]).status, 200);
    server.wait();
}

#[test]
fn the_server_says_what_it_is_and_does() {
    let server = Running::start(Limits::default());
    let about = server.get("/v1/tasks").json();
    assert_eq!(
        about["model"],
        json!({ "name": "florence-nano", "precision": "f32" })
    );
    assert_eq!(about["tasks"].as_array().unwrap().len(), 15);
    let od = about["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| task["name"] == "od");
    assert_eq!(od.unwrap()["form"], "boxes");
    let health = server.get("/healthz");
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));

    assert_eq!(
        server
            .run(&ask(json!([{ "task": "od" }, { "task": "ocr" }])))
            .status,
        200
    );
    let expected = [
        "florence_questions_total{task=\"od\"} 1",
        "florence_images_total 1",
        "florence_batch_questions_sum 2.0",
        "florence_requests_total{route=\"/v1/run\",status=\"200\"} 1",
        "florence_requests_waiting 0",
    ];
    // The last answer is on its way before the turn is over.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let metrics = server.get("/metrics");
        let missing = expected
            .iter()
            .find(|line| !metrics.text().contains(**line));
        match missing {
            None => break assert!(metrics.text().ends_with("# EOF\n")),
            Some(line) => assert!(Instant::now() < deadline, "{line}: {}", metrics.text()),
        }
    }
    server.wait();
}

#[test]
fn every_sample_is_there_and_can_be_asked_about() {
    let server = Running::start(Limits::default());
    let samples = server.get("/v1/samples").json()["samples"].clone();
    assert!(!samples.as_array().unwrap().is_empty());
    for sample in samples.as_array().unwrap() {
        let file = server.get(sample["url"].as_str().unwrap());
        assert_eq!(file.status, 200);
        let image = BASE64_STANDARD.encode(&file.body);
        let reply = server.run(&json!({ "image": image, "questions": [{ "task": "od" }] }));
        let found = reply.json()["answers"][0]["value"]["value"].clone();
        assert!(!found.as_array().unwrap().is_empty(), "{sample}");
    }
    server.wait();
}

/// The addresses of the API in the document that describes it are those of the server, and it
/// names every task.
#[test]
fn the_openapi_document_is_true() {
    let server = Running::start(Limits::default());
    let document = server.get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let reply = server.send(&method.to_uppercase(), path, &[], b"");
            assert_ne!(reply.status, 404, "{method} {path}");
            assert_ne!(reply.status, 405, "{method} {path}");
        }
    }
    let about = server.get("/v1/tasks").json();
    let named = &document["components"]["schemas"]["Question"]["properties"]["task"]["enum"];
    let names = |list: &Value| -> Vec<Value> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].clone())
            .collect()
    };
    let all = [names(&about["tasks"]), names(&about["cascades"])].concat();
    assert_eq!(named.as_array().unwrap(), &all);
    server.wait();
}
