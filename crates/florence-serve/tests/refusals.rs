//! Errors for bad, hostile and too many clients, without effect on others.

mod client;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::{Reply, Running, form, head};
use florence_serve::Limits;
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");

fn caption_of(file: &[u8]) -> Value {
    json!({ "image": BASE64_STANDARD.encode(file), "questions": [{ "task": "caption" }] })
}

/// A PNG whose header says `side × side`, with next to nothing in it.
fn bomb(side: u32) -> Vec<u8> {
    let mut png = Vec::new();
    image::RgbImage::new(1, 1)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let crc = png[12..29].iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    });
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[test]
fn wrong_files_are_named() {
    let server = Running::start(Limits::default());
    let jpeg = {
        let mut jpeg = Vec::new();
        let image = image::load_from_memory(SCENE).unwrap().to_rgb8();
        image
            .write_to(
                &mut std::io::Cursor::new(&mut jpeg),
                image::ImageFormat::Jpeg,
            )
            .unwrap();
        jpeg
    };
    for (file, what) in [
        (&b""[..], "an empty file"),
        (b"\0\0\0\x18ftypavif not really", "cannot read"),
        (b"GIF89a not really", "damaged or cut off"),
        (b"%PDF-1.7", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (&SCENE[..SCENE.len() / 2], "damaged or cut off"),
        (&jpeg[..jpeg.len() / 2], "truncated"),
        (&bomb(60_000), "60000 × 60000"),
        (&bomb(0), "damaged"),
    ] {
        let (status, code, message) = server.run(&caption_of(file)).error();
        assert_eq!(
            (status, code.as_str()),
            (415, "unsupported_image"),
            "{message}"
        );
        assert!(message.contains(what), "{what}: {message}");
    }
    server.wait();
}

#[test]
fn wrong_requests_are_told_what_would_be_right() {
    let server = Running::start(Limits::default());
    let image = BASE64_STANDARD.encode(SCENE);
    let asked = |questions: Value| json!({ "image": image, "questions": questions });
    for (body, status, what) in [
        (json!({}), 400, "missing field `questions`"),
        (json!([1]), 400, "JSON"),
        (json!({ "questions": [{ "task": "od" }] }), 400, "no photo"),
        (json!({ "image": "?", "questions": [] }), 400, "base64"),
        (
            json!({ "image": image, "image_id": "x", "questions": [] }),
            400,
            "two photos",
        ),
        (
            json!({ "image": image, "questions": [], "extra": 1 }),
            400,
            "unknown field `extra`",
        ),
        (asked(json!([])), 422, "0 questions, expected 1 to 32"),
        (
            asked(json!(vec![json!({ "task": "od" }); 33])),
            422,
            "33 questions",
        ),
        (
            asked(json!([{ "task": "fly" }])),
            422,
            "unknown task \"fly\": expected one of caption",
        ),
        (
            asked(json!([{ "task": "od", "text": "x" }])),
            422,
            "takes no text",
        ),
        (
            asked(json!([{ "task": "od" }, { "task": "phrase_grounding" }])),
            422,
            "question 1: ",
        ),
        (
            asked(json!([{ "task": "region_to_ocr" }])),
            422,
            "needs a region",
        ),
        (
            asked(json!([{ "task": "detect_and_segment", "text": "x" }])),
            422,
            "neither text",
        ),
        (
            asked(json!([{ "task": "od", "region": [1, 2, 3] }])),
            400,
            "JSON",
        ),
        (
            asked(json!([{ "task": "phrase_grounding", "text": "x".repeat(2001) }])),
            422,
            "longer than 2000",
        ),
        (
            json!({ "image": image, "questions": [{ "task": "od" }], "options": { "num_beams": 0 } }),
            422,
            "num_beams is 0, expected 1 to 8",
        ),
        (
            json!({ "image": image, "questions": [{ "task": "od" }], "options": { "max_new_tokens": 5000 } }),
            422,
            "max_new_tokens is 5000, expected 1 to 1024",
        ),
        (
            json!({ "image_id": "../etc", "questions": [{ "task": "od" }] }),
            404,
            "../etc",
        ),
    ] {
        let (found, _, message) = server.run(&body).error();
        assert_eq!(found, status, "{message}");
        assert!(message.contains(what), "{what}: {message}");
    }
    let request: &[u8] = br#"{"questions": [{"task": "od"}]}"#;
    for (fields, what) in [
        (&[("image", SCENE)][..], "request is missing"),
        (&[("request", request)], "no photo"),
        (
            &[("image", SCENE), ("image", SCENE), ("request", request)],
            "two fields image",
        ),
        (&[("photo", SCENE)], "\"photo\": expected image"),
        (&[("image", SCENE), ("request", b"[")], "the field request"),
    ] {
        let (status, _, message) = server.run_form(fields, &[]).error();
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(what), "{what}: {message}");
    }
    for (kind, status) in [("text/plain", 415), ("multipart/form-data", 400)] {
        let reply = server.send("POST", "/v1/run", &[("content-type", kind)], b"x");
        assert_eq!(reply.error().0, status);
    }
    for (method, path) in [("GET", "/v1/run"), ("POST", "/"), ("DELETE", "/style.css")] {
        let (status, code, _) = server.send(method, path, &[], b"").error();
        assert_eq!((status, code.as_str()), (405, "wrong_method"), "{path}");
    }
    server.wait();
}

#[test]
fn messages_stay_short_whatever_was_sent() {
    let server = Running::start(Limits::default());
    // Each of these bytes has a name of six characters.
    let long = "\u{7f}".repeat(1 << 20);
    let od = json!([{ "task": "od" }]);
    let request = json!({ "questions": od }).to_string();
    let json = [("content-type", "application/json")];
    let replies = [
        server.run(&json!({ "image_id": long, "questions": od })),
        server.run(&json!({ "image_id": "x", "questions": [{ "task": long }] })),
        server.run(&json!({ "image_id": "x", "questions": [{ "task": long, "text": long }] })),
        server.run(&json!({ "image_id": "x", "questions": long })),
        server.run(&json!({ "image_id": "x", "questions": od, &long: 1 })),
        server.run_form(&[(&long, b"x")], &[]),
        server.run_form(
            &[
                ("image_id", long.as_bytes()),
                ("request", request.as_bytes()),
            ],
            &[],
        ),
        server.send("POST", "/v1/run", &json, long.as_bytes()),
        server.send("GET", &format!("/{}", "a".repeat(5_000)), &[], b""),
        server.send("GET", "/", &[("host", &"a".repeat(5_000))], b""),
        server.send("POST", "/v1/run", &[("content-type", &long[..5_000])], b""),
    ];
    for (at, reply) in replies.iter().enumerate() {
        assert!((400..500).contains(&reply.status), "{at}: {}", reply.status);
        assert!(reply.body.len() < 8_000, "{at}: {}", reply.body.len());
    }
    server.wait();
}

#[test]
fn paths_lead_nowhere_else() {
    let server = Running::start(Limits::default());
    for path in [
        "/../Cargo.toml",
        "/samples/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/samples/%2e%2e%2fCargo.toml",
        "//etc/passwd",
        "/samples//etc/passwd",
        "/samples/",
        "/nothing",
        "/..%5c..%5cCargo.toml",
    ] {
        let (status, code, _) = server.get(path).error();
        assert_eq!((status, code.as_str()), (404, "not_found"), "{path}");
    }
    server.wait();
}

#[test]
fn other_sites_are_turned_away() {
    let server = Running::start(Limits::default());
    let own = format!("http://{}", server.address);
    for (headers, status) in [
        (vec![("origin", own.as_str())], 200),
        (vec![("origin", "http://evil.example")], 403),
        (vec![("host", "evil.example")], 403),
        (
            vec![("host", "evil.example"), ("origin", "http://evil.example")],
            403,
        ),
    ] {
        let reply = server.send("GET", "/v1/tasks", &headers, b"");
        assert_eq!(reply.status, status, "{headers:?}");
    }
    server.wait();
}

#[test]
fn what_is_too_large_is_not_read() {
    let server = Running::start(Limits::new().max_bytes(50_000));
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    let large = vec![0; 200_000];
    let (status, code, message) = server.run(&caption_of(&large)).error();
    assert_eq!((status, code.as_str()), (413, "too_large"));
    assert!(message.contains("50000 bytes"), "{message}");
    let request: &[u8] = br#"{"questions": [{"task": "od"}]}"#;
    let reply = server.run_form(&[("image", &large), ("request", request)], &[]);
    assert_eq!(reply.error().0, 413);
    server.wait();
}

#[test]
fn slow_clients_are_not_waited_for() {
    let server = Running::start(Limits::new().upload_time(Duration::from_millis(400)));
    let start = Instant::now();
    // A body that does not come.
    let json = [("content-type", "application/json")];
    let mut slow = server.connect();
    slow.write_all(&head("POST", "/v1/run", server.address, &json, 1000))
        .unwrap();
    slow.write_all(b"{").unwrap();
    let (status, code, _) = Reply::read(&mut slow).error();
    assert_eq!((status, code.as_str()), (408, "request_timeout"));
    // A head that does not come.
    let mut silent = server.connect();
    silent.write_all(b"GET / HT").unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut silent, &mut rest);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    server.wait();
}

#[test]
fn a_body_that_stops_is_not_waited_for() {
    let server = Running::start(Limits::new().stall_time(Duration::from_millis(300)));
    let start = Instant::now();
    let mut stalled = upload(&server, &caption_of(SCENE).to_string(), 100);
    let (status, code, _) = Reply::read(&mut stalled).error();
    assert_eq!((status, code.as_str()), (408, "request_timeout"));
    assert!(start.elapsed() < Duration::from_secs(10));
    server.wait();
}

/// A client that asks for a thousand files and reads none of them.
fn deaf(server: &Running) -> TcpStream {
    let mut stream = server.connect();
    let request = format!(
        "GET /style.css HTTP/1.1\r\nhost: {}\r\n\r\n",
        server.address
    );
    stream.write_all(request.repeat(1_000).as_bytes()).unwrap();
    stream
}

#[test]
fn who_does_not_read_is_cut_off() {
    let server = Running::start(
        Limits::new()
            .connections(2)
            .stall_time(Duration::from_millis(300)),
    );
    let deaf = [deaf(&server), deaf(&server)];
    assert_eq!(server.get("/healthz").status, 200);
    drop(deaf);
    server.wait();
}

#[test]
fn who_does_not_read_does_not_hold_up_the_end() {
    let mut server = Running::start(
        Limits::new()
            .stall_time(Duration::from_secs(1))
            .upload_time(Duration::from_secs(10))
            .request_time(Duration::from_secs(10)),
    );
    let _deaf = deaf(&server);
    std::thread::sleep(Duration::from_millis(500)); // until it can take no more
    let start = Instant::now();
    server.stop();
    server.wait();
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// A connection on which the first bytes of a request's body have been sent.
fn upload(server: &Running, body: &str, bytes: usize) -> TcpStream {
    let json = [("content-type", "application/json")];
    let mut stream = server.connect();
    stream
        .write_all(&head("POST", "/v1/run", server.address, &json, body.len()))
        .unwrap();
    stream.write_all(&body.as_bytes()[..bytes]).unwrap();
    stream
}

#[test]
fn slow_uploads_take_no_place_in_the_queue() {
    let server = Running::start(Limits::new().queue(1));
    let body = caption_of(SCENE).to_string();
    let mut slow: Vec<TcpStream> = (0..8).map(|_| upload(&server, &body, 1)).collect();
    std::thread::sleep(Duration::from_millis(200)); // until all are accepted
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    for stream in &mut slow {
        stream.write_all(&body.as_bytes()[1..]).unwrap();
        assert_eq!(Reply::read(stream).status, 200);
    }
    server.wait();
}

#[test]
fn uploads_have_so_much_room_and_no_more() {
    let body = caption_of(SCENE).to_string();
    let server = Running::start(Limits::new().max_bytes(body.len()).upload_bytes(body.len()));
    let mut first = upload(&server, &body, body.len() - 10);
    std::thread::sleep(Duration::from_millis(500)); // until it has arrived
    let refused = server.run(&caption_of(SCENE));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.error().1, "overloaded");
    assert!(refused.head.contains("retry-after: "));
    first
        .write_all(&body.as_bytes()[body.len() - 10..])
        .unwrap();
    assert_eq!(Reply::read(&mut first).status, 200);
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    server.wait();
}

fn long_questions(count: usize) -> Value {
    json!({
        "image": BASE64_STANDARD.encode(SCENE),
        "questions": vec![json!({ "task": "detect_and_describe" }); count],
        "options": { "num_beams": 8 },
    })
}

#[test]
fn too_many_are_told_to_come_back() {
    let server = Running::start(Limits::new().queue(1).max_questions(100));
    let body = long_questions(100).to_string();
    // Holds the only place while it is answered.
    let mut first = upload(&server, &body, body.len());
    while !server
        .get("/metrics")
        .text()
        .contains("florence_requests_waiting 1")
    {}
    let refused = server.run(&caption_of(SCENE));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.error().1, "overloaded");
    assert!(refused.head.contains("retry-after: "));
    let answered = Reply::read(&mut first);
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json()["answers"].as_array().unwrap().len(), 100);
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    server.wait();
}

/// Questions that were answered, and whether all requests are done with.
fn answered(server: &Running) -> (usize, bool) {
    let metrics = server.get("/metrics");
    let counts = metrics.text().lines().filter_map(|line| {
        let count = line.strip_prefix("florence_questions_total{")?;
        count.rsplit(' ').next()?.parse::<usize>().ok()
    });
    let idle = metrics.text().contains("florence_requests_waiting 0");
    (counts.sum(), idle)
}

#[test]
fn nothing_is_asked_for_who_is_out_of_time() {
    let server = Running::start(
        Limits::new()
            .request_time(Duration::from_millis(500))
            .max_questions(1_000)
            .batch(256),
    );
    let (status, code, _) = server.run(&long_questions(1_000)).error();
    assert_eq!((status, code.as_str()), (504, "deadline_exceeded"));
    let (then, _) = answered(&server);
    let in_the_end = loop {
        let (count, idle) = answered(&server);
        if idle {
            break count;
        }
    };
    assert!(
        in_the_end <= then + 1,
        "{then} questions, then {in_the_end}"
    );
    server.wait();
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let server = Running::start(Limits::new().request_time(Duration::from_millis(1)));
    let (status, code, _) = server.run(&caption_of(SCENE)).error();
    assert_eq!((status, code.as_str()), (504, "deadline_exceeded"));
    let request: &[u8] = br#"{"questions": [{"task": "od"}]}"#;
    let fields: [(&str, &[u8]); 2] = [("image", SCENE), ("request", request)];
    let reply = server.run_form(&fields, &[("accept", "text/event-stream")]);
    // Whether the photo or the answer took too long.
    let code = if reply.status == 200 {
        reply.events().last().unwrap().1["error"]["code"].clone()
    } else {
        reply.json()["error"]["code"].clone()
    };
    assert_eq!(code, "deadline_exceeded");
    server.wait();
}

#[test]
fn who_is_accepted_is_answered_when_the_server_ends() {
    let mut server = Running::start(Limits::default());
    let (kind, body) = form(&[
        ("image", SCENE),
        (
            "request",
            br#"{"questions": [{"task": "od"}, {"task": "caption"}, {"task": "ocr"}]}"#,
        ),
    ]);
    let mut streams: Vec<_> = (0..6)
        .map(|index| {
            let mut stream = server.connect();
            let mut headers = vec![("content-type", kind)];
            if index % 2 == 0 {
                headers.push(("accept", "text/event-stream"));
            }
            stream
                .write_all(&head(
                    "POST",
                    "/v1/run",
                    server.address,
                    &headers,
                    body.len(),
                ))
                .unwrap();
            stream.write_all(&body).unwrap();
            stream
        })
        .collect();
    // All have a slot once the server says that six wait.
    let waiting = "florence_requests_waiting 6";
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut seen_waiting = false;
    while Instant::now() < deadline && !seen_waiting {
        let metrics = server.get("/metrics");
        seen_waiting =
            metrics.text().contains(waiting) || metrics.text().contains("route=\"/v1/run\"");
    }
    assert!(seen_waiting);
    server.stop();
    for (index, stream) in streams.iter_mut().enumerate() {
        let reply = Reply::read(stream);
        assert_eq!(reply.status, 200, "{index}: {}", reply.text());
        if index % 2 == 0 {
            let events = reply.events();
            assert_eq!(events.len(), 5, "{events:?}");
            assert_eq!(events[4].0, "done");
        } else {
            assert_eq!(reply.json()["answers"].as_array().unwrap().len(), 3);
        }
    }
    server.wait();
}

#[test]
fn who_is_uploading_when_the_server_ends_is_answered() {
    let mut server = Running::start(Limits::default());
    let body = caption_of(SCENE).to_string();
    let mut uploading = upload(&server, &body, 100);
    std::thread::sleep(Duration::from_millis(200)); // until it is accepted
    server.stop();
    std::thread::sleep(Duration::from_millis(200)); // until the server knows
    uploading.write_all(&body.as_bytes()[100..]).unwrap();
    assert_eq!(Reply::read(&mut uploading).status, 200);
    server.wait();
}

#[test]
fn who_leaves_is_not_answered_and_the_next_is() {
    let server = Running::start(Limits::default());
    let (kind, body) = form(&[
        ("image", SCENE),
        (
            "request",
            br#"{"questions": [{"task": "od"}, {"task": "ocr"}]}"#,
        ),
    ]);
    for _ in 0..5 {
        let mut stream = server.connect();
        let headers = [("content-type", kind), ("accept", "text/event-stream")];
        stream
            .write_all(&head(
                "POST",
                "/v1/run",
                server.address,
                &headers,
                body.len(),
            ))
            .unwrap();
        stream.write_all(&body).unwrap();
        drop(stream);
    }
    assert_eq!(server.run(&caption_of(SCENE)).status, 200);
    server.wait();
}
