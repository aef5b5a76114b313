//! The server against its OpenAPI document.

mod client;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::{Reply, Running};
use florence_core::image::ImageNote;
use florence_serve::Limits;
use serde_json::{Value, json};

const SAMPLES: [&[u8]; 4] = [
    include_bytes!("../samples/dots.png"),
    include_bytes!("../samples/shapes.png"),
    include_bytes!("../samples/stripes.png"),
    include_bytes!("../samples/words.png"),
];

/// The document; of its objects nothing may be left unsaid.
struct Document(Value);

impl Document {
    fn of(server: &Running) -> Self {
        let mut document = server.get("/openapi.json").json();
        close(&mut document);
        Self(document)
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let error = validator.iter_errors(value).next();
        error.map_or(Ok(()), |error| {
            Err(format!("{error}, at {}", error.instance_path()))
        })
    }

    /// Whether a value is what the document calls so.
    fn is(&self, name: &str, value: &Value) -> Result<(), String> {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.fits(&schema, value)
    }

    /// A reply is one that the document gives this address.
    fn check(&self, method: &str, path: &str, reply: &Reply) {
        let said = &self.0["paths"][path][method]["responses"][reply.status.to_string()];
        let said = match said["$ref"].as_str() {
            Some(there) => self.0.pointer(&there[1..]).unwrap(),
            None => said,
        };
        let content = &said["content"]["application/json"]["schema"];
        let about = format!("{method} {path} {}: {}", reply.status, reply.text());
        assert!(content.is_object(), "{about}");
        self.fits(content, &reply.json())
            .unwrap_or_else(|error| panic!("{error}: {about}"));
    }
}

/// Lets all objects have only the properties that are named.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && map.contains_key("type") {
                map.entry("additionalProperties").or_insert(json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => (),
    }
}

/// Every task and every cascade, and a question that cannot be answered.
fn questions(about: &Value) -> Value {
    let lists = [&about["tasks"], &about["cascades"]];
    let all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
    let asked = all.map(|one| {
        let mut question = json!({ "task": one["name"] });
        match one["input"].as_str().unwrap() {
            "text" => question["text"] = json!("the green triangle<and>a circle"),
            "region" => question["region"] = json!([10, 10, 200, 200]),
            _ => (),
        }
        question
    });
    let mut asked: Vec<Value> = asked.collect();
    asked.push(json!({ "task": "<REGION_TO_OCR>", "region": [0, 0, 9_000, 1] }));
    json!(asked)
}

#[test]
fn every_answer_is_described() {
    let server = Running::start(Limits::default());
    let document = Document::of(&server);
    let about = server.get("/v1/tasks");
    document.check("get", "/v1/tasks", &about);
    let questions = questions(&about.json());
    for (beams, photo) in SAMPLES.iter().enumerate() {
        let body = json!({
            "image": BASE64_STANDARD.encode(photo),
            "questions": questions,
            "options": { "num_beams": beams + 1 },
        });
        document.is("JsonRequest", &body).unwrap();
        let reply = server.run(&body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        document.check("post", "/v1/run", &reply);
    }
    // An answer that ends early is odd, and says so.
    let cut = server.run(&json!({
        "image": BASE64_STANDARD.encode(SAMPLES[1]),
        "questions": [{ "task": "od" }, { "task": "ocr_with_region" }],
        "options": { "max_new_tokens": 9 },
    }));
    let odd = cut.json()["answers"][0]["diagnostics"].clone();
    assert!(!odd.as_array().unwrap().is_empty());
    document.check("post", "/v1/run", &cut);
    server.wait();
}

#[test]
fn photos_and_what_there_is_to_say_of_them_are_described() {
    let server = Running::start_with(Limits::default(), |server| server.with_note("A note."));
    let document = Document::of(&server);
    document.check("get", "/v1/tasks", &server.get("/v1/tasks"));
    let body = json!({ "image": BASE64_STANDARD.encode(SAMPLES[0]), "exif_orientation": true });
    document.is("JsonImageRequest", &body).unwrap();
    let json = [("content-type", "application/json")];
    let send = |body: Value| server.send("POST", "/v1/images", &json, body.to_string().as_bytes());
    let seen = send(body);
    assert_eq!(seen.status, 200, "{}", seen.text());
    document.check("post", "/v1/images", &seen);
    for (body, status) in [
        (json!({ "image_id": "x" }), 404),
        (json!({}), 400),
        (json!({ "image": "aaaa" }), 415),
    ] {
        let refused = send(body);
        assert_eq!(refused.status, status);
        document.check("post", "/v1/images", &refused);
    }
    let notes = [
        ImageNote::StoredTurned {
            exif_orientation: 6,
        },
        ImageNote::Damaged {
            what: "no end".to_owned(),
            from_row: None,
        },
        ImageNote::Damaged {
            what: "no end".to_owned(),
            from_row: Some(7),
        },
    ];
    for note in notes {
        document.is("ImageNote", &json!(note)).unwrap();
    }
    let about = json!({ "image_id": "x", "size": { "width": 1, "height": 1 }, "image_notes": [] });
    assert!(document.is("Image", &about).is_err(), "nothing is not said");
    let mut request =
        json!({ "questions": [{ "task": "od", "text": "x", "special_tokens": true }] });
    document.is("FormRequest", &request).unwrap();
    request["exif_orientation"] = json!("yes");
    document.is("FormRequest", &request).unwrap_err();
    server.wait();
}

#[test]
fn every_event_is_described() {
    let server = Running::start(Limits::default());
    let document = Document::of(&server);
    let outside = json!({ "task": "region_to_ocr", "region": [0, 0, 9_000, 1] });
    let request = json!({ "questions": [{ "task": "od" }, outside] });
    document.is("FormRequest", &request).unwrap();
    let request = request.to_string();
    let streams = [("accept", "text/event-stream")];
    let first = server.run_form(
        &[("image", SAMPLES[0]), ("request", request.as_bytes())],
        &streams,
    );
    let id = first.events()[0].1["image_id"].as_str().unwrap().to_owned();
    let ask = |id: &str| {
        let fields: [(&str, &[u8]); 2] =
            [("image_id", id.as_bytes()), ("request", request.as_bytes())];
        server.run_form(&fields, &streams)
    };
    for reply in [first, ask(&id), ask(&"0".repeat(32))] {
        for (name, data) in reply.events() {
            let fits = match name.as_str() {
                "image" => document.is("ImageEvent", &data),
                "answer" => document.is("Answer", &data),
                "failed" => document.is("FailedEvent", &data),
                "done" => document.fits(&json!({ "const": {} }), &data),
                other => panic!("{other}"),
            };
            fits.unwrap_or_else(|error| panic!("{name}: {error}: {data}"));
        }
    }
    server.wait();
}

#[test]
fn the_apis_of_openai_and_ollama_are_described() {
    let server = Running::start(Limits::default());
    let document = Document::of(&server);
    let image = BASE64_STANDARD.encode(SAMPLES[1]);
    let parts = json!([
        { "type": "text", "text": "od" },
        { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{image}") } },
    ]);
    let completion =
        json!({ "model": "florence-nano", "messages": [{ "role": "user", "content": parts }] });
    let generate = json!({ "model": "florence-nano", "prompt": "<CAPTION>", "images": [image], "stream": false });
    let message = json!({ "role": "user", "content": "caption", "images": [image] });
    let chat = json!({ "model": "florence-nano", "messages": [message], "stream": false });
    for (path, schema, body) in [
        ("/v1/chat/completions", "ChatRequest", &completion),
        ("/api/generate", "GenerateRequest", &generate),
        ("/api/chat", "OllamaChatRequest", &chat),
        (
            "/api/show",
            "ShowRequest",
            &json!({ "model": "florence-nano" }),
        ),
    ] {
        document.is(schema, body).unwrap();
        let mut unknown = body.clone();
        unknown["model"] = json!("x");
        let mut wrong = body.clone();
        wrong["model"] = json!(1);
        for (body, status) in [(body, 200), (&unknown, 404), (&wrong, 400)] {
            let reply = server.post(path, body);
            assert_eq!(reply.status, status, "{}", reply.text());
            document.check("post", path, &reply);
        }
        document.is(schema, &wrong).unwrap_err();
    }
    for path in ["/v1/models", "/api/tags", "/api/version"] {
        document.check("get", path, &server.get(path));
    }
    for (model, status) in [("florence-nano:od", 200), ("x", 404)] {
        let reply = server.get(&format!("/v1/models/{model}"));
        assert_eq!(reply.status, status);
        document.check("get", "/v1/models/{model}", &reply);
    }
    let mut streamed = completion;
    streamed["stream"] = json!(true);
    streamed["stream_options"] = json!({ "include_usage": true });
    document.is("ChatRequest", &streamed).unwrap();
    for chunk in server.post("/v1/chat/completions", &streamed).chunks() {
        document.is("ChatChunk", &chunk).unwrap();
    }
    for (path, schema, mut body) in [
        ("/api/generate", "GenerateAnswer", generate),
        ("/api/chat", "OllamaChatAnswer", chat),
    ] {
        body["stream"] = json!(true);
        for line in server.post(path, &body).lines() {
            document.is(schema, &line).unwrap();
        }
    }
    server.wait();
}

#[test]
fn every_refusal_is_described() {
    let server = Running::start(Limits::new().max_bytes(100_000));
    let document = Document::of(&server);
    let image = BASE64_STANDARD.encode(SAMPLES[0]);
    let od = json!([{ "task": "od" }]);
    for (body, status) in [
        (json!({ "questions": od }), 400),
        (
            json!({ "image": image, "image_id": "x", "questions": od }),
            400,
        ),
        (json!({ "image": image, "questions": od, "extra": 1 }), 400),
        (
            json!({ "image": image, "questions": [{ "task": "od", "extra": 1 }] }),
            400,
        ),
        (json!({ "image_id": "x", "questions": od }), 404),
        (
            json!({ "image": "x".repeat(200_000), "questions": od }),
            413,
        ),
        (json!({ "image": "aaaa", "questions": od }), 415),
        (
            json!({ "image": image, "questions": [{ "task": "fly" }] }),
            422,
        ),
        (json!({ "image": image, "questions": [] }), 422),
        (
            json!({ "image": image, "questions": od, "options": { "num_beams": 0 } }),
            422,
        ),
    ] {
        let reply = server.run(&body);
        assert_eq!(reply.status, status, "{}", reply.text());
        document.check("post", "/v1/run", &reply);
        let known = document.is("JsonRequest", &body).is_err();
        let form = matches!(status, 400 | 422);
        assert_eq!(known, form, "{}", reply.text());
    }
    let paths = document.0["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let ask = |method: &str, host: &[(&str, &str)]| {
                let path = path.replace("{model}", "florence-nano");
                server.send(&method.to_uppercase(), &path, host, b"")
            };
            let found = ask(method, &[]);
            assert!(!matches!(found.status, 404 | 405), "{method} {path}");
            for (reply, status) in [
                (ask(method, &[("host", "evil.example")]), 403),
                (ask("delete", &[]), 405),
            ] {
                assert_eq!(reply.status, status, "{method} {path}");
                document.check(method, path, &reply);
            }
        }
    }
    for path in ["/v1/samples", "/healthz"] {
        document.check("get", path, &server.get(path));
    }
    server.wait();
}

#[test]
fn every_task_is_named() {
    let server = Running::start(Limits::default());
    let document = server.get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let about = server.get("/v1/tasks").json();
    let task = &document["components"]["schemas"]["Question"]["properties"]["task"];
    let names = |list: &Value| -> Vec<Value> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one["name"].clone()).collect()
    };
    let all = [names(&about["tasks"]), names(&about["cascades"])].concat();
    assert_eq!(task["anyOf"][0]["enum"].as_array().unwrap(), &all);
    server.wait();
}
