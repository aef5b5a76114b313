//! The API over real connections.

mod client;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::Running;
use florence_serve::Limits;
use florence_tasks::{
    AnswerForm, AnyOutput, AnyTask, BBox, Caption, CheckCaption, DetectAndDescribe, Florence, Od,
    RegionToCategory, Task,
};
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");
const CLAIM: &str = "a green triangle and a red heart";

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
        { "task": "check_caption", "text": CLAIM },
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
        json!({ "form": "text", "value": caption.value })
    );
    assert_eq!(answer(0)["raw_text"], caption.raw_text);
    let objects = florence.run(Od, &image).unwrap();
    assert_eq!(answer(1)["task"], "od");
    assert_eq!(
        answer(1)["value"],
        json!({ "form": "boxes", "value": objects.value })
    );
    assert!(!objects.value.is_empty());
    let category = florence
        .run(RegionToCategory(BBox::from(region)), &image)
        .unwrap();
    assert_eq!(answer(2)["value"]["value"]["text"], category.value.text);
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
    let checked = florence.cascade(CheckCaption::new(CLAIM), &image).unwrap();
    let unsupported = &answer(4)["value"]["value"]["phrases"][1];
    assert_eq!(answer(4)["value"]["form"], "checked_caption");
    assert_eq!(unsupported["phrase"], "a red heart");
    assert_eq!(unsupported["supported"], false);
    assert_eq!(answer(4)["value"]["value"], json!(checked.value));
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
    let server = Running::start(Limits::new().images(2));
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
fn special_tokens_are_read_where_that_is_asked_for() {
    let server = Running::start(Limits::default());
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(SCENE).unwrap();
    let text = "the green triangle at <loc_5>";
    let ask_with = |special: Value| {
        let mut question = json!({ "task": "referring_segmentation", "text": text });
        question["special_tokens"] = special;
        server.run(&ask(json!([question])))
    };
    let mut raw = Vec::new();
    for yes in [false, true] {
        let request = Task::ReferringSegmentation
            .with_text(text)
            .recognize_special_tokens(yes);
        let answer = florence.run(request, &image).unwrap();
        let reply = ask_with(json!(yes)).json();
        assert_eq!(reply["answers"][0]["raw_text"], answer.raw_text, "{yes}");
        assert_eq!(
            reply["answers"][0]["value"]["value"],
            json!(answer.value.instances())
        );
        raw.push(answer.raw_text);
    }
    assert_ne!(raw[0], raw[1], "else it would not show");
    assert_eq!(ask_with(json!("yes")).status, 400);
    for (question, what) in [
        (
            json!({ "task": "od", "special_tokens": true }),
            "without a text",
        ),
        (
            json!({ "task": "check_caption", "text": CLAIM, "special_tokens": true }),
            "check_caption reads its text as text",
        ),
    ] {
        let (status, code, message) = server.run(&ask(json!([question]))).error();
        assert_eq!((status, code.as_str()), (422, "invalid_question"));
        assert!(message.contains(what), "{message}");
    }
    server.wait();
}

#[test]
fn markers_of_fine_tunes_go_to_the_model() {
    let server = Running::start(Limits::default());
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(SCENE).unwrap();
    let task: AnyTask = "<DocVQA>".parse().unwrap();
    let task = task.with_input(Some("What is the total?"), None);
    let expected = florence.run_any(&task, &image).unwrap();
    let expected = expected.text().unwrap();
    let question = json!({ "task": "<DocVQA>", "text": "What is the total?" });
    let reply = server.run(&ask(json!([question, { "task": "od" }])));
    let answers = &reply.json()["answers"];
    assert_eq!(answers[0]["task"], "<DocVQA>");
    assert_eq!(answers[0]["value"]["value"]["text"], expected);
    assert_eq!(answers[1]["task"], "od");
    let body = json!({
        "model": "florence-nano", "stream": false,
        "prompt": "<DocVQA> What is the total?", "images": [photo()],
    });
    let reply = server.post("/api/generate", &body);
    assert!(
        reply.head.contains("florence-task: custom"),
        "{}",
        reply.head
    );
    assert_eq!(reply.json()["response"], expected);
    let metrics = server.get("/metrics");
    let counted = r#"florence_questions_total{task="custom",result="answered"} 2"#;
    assert!(metrics.text().contains(counted), "{}", metrics.text());
    // A name is compared with all that there are, so it is not long.
    for task in [format!("<{}>", "x".repeat(63)), "<CAPTON>".to_owned()] {
        let (status, _, message) = server.run(&ask(json!([{ "task": task }]))).error();
        assert_eq!(status, 422, "{message}");
    }
    server.wait();
}

#[test]
fn prompts_and_the_forms_of_their_answers() {
    let server = Running::start(Limits::default());
    let florence = Florence::nano().unwrap();
    let image = image::load_from_memory(SCENE).unwrap();
    let prompt = "Locate the objects with category name in the image.";
    let boxes = AnyTask::prompt(prompt).answer(AnswerForm::Boxes);
    let AnyOutput::Task(expected) = florence.run_any(&boxes, &image).unwrap() else {
        panic!("a prompt is no cascade");
    };
    let as_text = json!({ "prompt": prompt });
    let as_boxes = json!({ "prompt": prompt, "answer": "boxes" });
    let marker = json!({ "task": "<PANELS>", "answer": "quads" });
    let reply = server.run(&ask(json!([as_text, as_boxes, marker])));
    let answers = &reply.json()["answers"];
    assert_eq!(answers[0]["value"]["form"], "text");
    assert_eq!(answers[1]["value"], json!(expected.value));
    assert_eq!(answers[1]["value"]["form"], "boxes");
    assert_eq!(answers[1]["raw_text"], expected.raw_text);
    assert_eq!(answers[2]["value"]["form"], "quads");
    for (question, expected) in [
        (json!({}), "expected either `task` or `prompt`"),
        (
            json!({ "task": "od", "prompt": "Hi?" }),
            "expected either `task` or `prompt`",
        ),
        (
            json!({ "prompt": "Hi?", "answer": "circles" }),
            "answer \"circles\": expected one of text, markup, boxes",
        ),
        (
            json!({ "task": "od", "answer": "quads" }),
            "a form is chosen for markers and prompts only",
        ),
        (
            json!({ "prompt": "x".repeat(10_000) }),
            "the text of \"prompt\" is longer than",
        ),
    ] {
        let (status, _, message) = server.run(&ask(json!([question]))).error();
        assert_eq!(status, 422, "{message}");
        assert!(message.contains(expected), "{message}");
    }
    server.wait();
}

#[test]
fn what_has_to_be_known_of_the_model_is_said() {
    let server = Running::start_with(Limits::default(), |server| server.with_note("Only shapes."));
    let about = server.get("/v1/tasks").json();
    assert_eq!(about["model"]["note"], "Only shapes.");
    server.wait();
}

#[test]
fn the_server_says_what_it_is_and_does() {
    let server = Running::start(Limits::default());
    let about = server.get("/v1/tasks").json();
    assert_eq!(
        about["model"],
        json!({ "name": "florence-nano", "device": "cpu", "precision": "f32" })
    );
    assert_eq!(about["tasks"].as_array().unwrap().len(), 15);
    let od = about["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| task["name"] == "od");
    assert_eq!(od.unwrap()["form"], "boxes");
    let health = server.get("/healthz");
    assert_eq!(health.status, 200);
    assert_eq!(
        health.json(),
        json!({ "status": "ok", "device": "cpu", "precision": "f32" })
    );

    server.wait();
}

#[test]
fn what_happens_is_counted() {
    let server = Running::start(Limits::default());
    let outside = json!({ "task": "region_to_ocr", "region": [0, 0, 5000, 5000] });
    let questions = json!([{ "task": "od" }, outside, { "task": "caption_and_ground" }]);
    assert_eq!(server.run(&ask(questions)).status, 200);
    let forgotten = json!({ "image_id": "0".repeat(32), "questions": [{ "task": "od" }] });
    let json = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
    ];
    let body = forgotten.to_string();
    let reply = server.send("POST", "/v1/run", &json, body.as_bytes());
    assert_eq!(reply.events()[0].0, "failed");
    let expected = [
        r#"florence_questions_total{task="od",result="answered"} 1"#,
        r#"florence_questions_total{task="region_to_ocr",result="failed"} 1"#,
        r#"florence_questions_total{task="caption_and_ground",result="answered"} 1"#,
        "florence_images_total 1",
        "florence_batch_questions_sum 2.0",
        r#"florence_requests_total{route="/v1/run",status="200"} 2"#,
        r#"florence_request_seconds_count{result="answered"} 1"#,
        r#"florence_request_seconds_count{result="failed"} 1"#,
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

#[test]
fn no_more_questions_are_answered_together_than_allowed() {
    let server = Running::start(Limits::new().batch(4));
    let many = ask(json!(vec![json!({ "task": "od" }); 12]));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(server.run(&many).status, 200));
        }
    });
    let metrics = server.get("/metrics");
    let count = |line: &str| -> usize {
        let mut lines = metrics.text().lines();
        let count = lines.find_map(|one| one.strip_prefix(line));
        count.unwrap().trim().parse().unwrap()
    };
    assert_eq!(
        count(r#"florence_batch_questions_bucket{le="4.0"}"#),
        count("florence_batch_questions_count")
    );
    server.wait();
}

#[test]
fn a_cascade_says_where_its_time_went() {
    let server = Running::start(Limits::default());
    let reply = server.run(&ask(json!([{ "task": "caption_and_ground" }])));
    let timings = reply.json()["answers"][0]["timings_ms"].clone();
    for part in ["encoder", "decode"] {
        assert!(timings[part].as_f64().unwrap() > 0.0, "{timings}");
    }
    server.wait();
}
