//! Photos: EXIF orientation, odd file names, uploads for later questions.

mod client;

use std::io::{Cursor, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use client::{Reply, Running, head};
use florence_core::image::{ImageFile, ImageOptions};
use florence_serve::Limits;
use florence_tasks::{Florence, Od};
use serde_json::{Value, json};

const SCENE: &[u8] = include_bytes!("../samples/shapes.png");

/// The scene as a JPEG that is to be turned by 90 degrees.
fn stored_turned() -> Vec<u8> {
    let mut jpeg = Vec::new();
    let upright = image::load_from_memory(SCENE).unwrap().to_rgb8();
    let stored = image::imageops::rotate270(&upright);
    stored
        .write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg)
        .unwrap();
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut exif = vec![0xff, 0xe1, 0, 2 + 6 + tiff.len() as u8];
    exif.extend_from_slice(b"Exif\0\0");
    exif.extend_from_slice(tiff);
    jpeg.splice(2..2, exif).for_each(drop);
    jpeg
}

fn ask(upright: Option<bool>) -> Value {
    let mut body = json!({
        "image": BASE64_STANDARD.encode(stored_turned()),
        "questions": [{ "task": "od" }],
    });
    if let Some(upright) = upright {
        body["exif_orientation"] = json!(upright);
    }
    body
}

/// What the library says.
fn library(upright: bool) -> Value {
    let options = ImageOptions::new().apply_exif_orientation(upright);
    let file = ImageFile::decode(&stored_turned(), &options).unwrap();
    json!(Florence::nano().unwrap().run(Od, &file).unwrap().value)
}

#[test]
fn photos_are_used_as_stored_unless_asked_otherwise() {
    let server = Running::start(Limits::default());
    let note = json!([{ "kind": "image_stored_turned", "exif_orientation": 6 }]);
    for (asked, upright) in [(None, false), (Some(false), false), (Some(true), true)] {
        let reply = server.run(&ask(asked)).json();
        let (width, height) = if upright { (529, 447) } else { (447, 529) };
        assert_eq!(
            reply["size"],
            json!({ "width": width, "height": height }),
            "{asked:?}"
        );
        assert_eq!(reply["answers"][0]["value"]["value"], library(upright));
        let notes = reply.get("image_notes");
        assert_eq!(notes, (!upright).then_some(&note), "{asked:?}");
    }
    // In a form and a stream the same.
    for (request, noted) in [
        (r#"{"questions":[{"task":"od"}]}"#, true),
        (
            r#"{"questions":[{"task":"od"}],"exif_orientation":true}"#,
            false,
        ),
    ] {
        let photo = stored_turned();
        let fields: [(&str, &[u8]); 2] = [("image", &photo), ("request", request.as_bytes())];
        let reply = server.run_form(&fields, &[("accept", "text/event-stream")]);
        let (name, seen) = reply.events().remove(0);
        assert_eq!(name, "image");
        assert_eq!(seen.get("image_notes"), noted.then_some(&note));
    }
    server.wait();
}

#[test]
fn an_image_id_stands_for_one_frame() {
    let server = Running::start(Limits::default());
    for sent in [false, true] {
        let first = server.run(&ask(Some(sent))).json();
        let about = |upright: Value| {
            server.run(&json!({
                "image_id": first["image_id"],
                "questions": [{ "task": "od" }],
                "exif_orientation": upright,
            }))
        };
        for same in [Value::Null, json!(sent)] {
            let again = about(same).json();
            for part in ["size", "image_notes"] {
                assert_eq!(again.get(part), first.get(part), "{sent}");
            }
            assert_eq!(again["answers"][0]["value"], first["answers"][0]["value"]);
        }
        let (status, code, message) = about(json!(!sent)).error();
        assert_eq!((status, code.as_str()), (422, "invalid_question"));
        assert!(message.contains("send the photo again"), "{message}");
    }
    server.wait();
}

#[test]
fn a_photo_can_be_sent_before_it_is_asked_about() {
    let server = Running::start(Limits::default());
    let json = [("content-type", "application/json")];
    let send = |body: Value| server.send("POST", "/v1/images", &json, body.to_string().as_bytes());
    let sent = send(json!({ "image": BASE64_STANDARD.encode(stored_turned()) }));
    assert_eq!(sent.status, 200, "{}", sent.text());
    let sent = sent.json();
    assert_eq!(sent["size"], json!({ "width": 447, "height": 529 }));
    assert_eq!(sent["image_notes"][0]["exif_orientation"], 6);
    assert!(sent.get("answers").is_none());
    let id = &sent["image_id"];
    let asked = server.run(&json!({ "image_id": id, "questions": [{ "task": "od" }] }));
    assert_eq!(asked.json()["answers"][0]["value"]["value"], library(false));
    assert_eq!(send(json!({ "image_id": id })).json(), sent);

    let form = |fields: &[(&str, &[u8])]| {
        let (kind, body) = client::form(fields);
        server.send("POST", "/v1/images", &[("content-type", kind)], &body)
    };
    assert_eq!(form(&[("image", SCENE)]).status, 200);
    let upright: [(&str, &[u8]); 2] = [
        ("image", &stored_turned()),
        ("request", br#"{"exif_orientation":true}"#),
    ];
    assert_eq!(form(&upright).json()["size"]["width"], 529);
    let text = form(&[("image", b"Dear diary")]).error();
    assert_eq!((text.0, text.1.as_str()), (415, "unsupported_image"));
    for (body, status, what) in [
        (json!({ "image_id": "0".repeat(32) }), 404, "not known"),
        (json!({}), 400, "no photo"),
        (
            json!({ "image_id": id, "questions": [{ "task": "od" }] }),
            400,
            "/v1/run does",
        ),
        (
            json!({ "image_id": id, "options": {} }),
            400,
            "/v1/run does",
        ),
    ] {
        let (found, _, message) = send(body).error();
        assert_eq!(found, status, "{message}");
        assert!(message.contains(what), "{message}");
    }
    let metrics = server.get("/metrics");
    assert!(
        metrics.text().contains("florence_images_total 3"),
        "{}",
        metrics.text()
    );
    server.wait();
}

/// A form whose photo has these bytes for a name.
fn named(server: &Running, name: &[u8]) -> Reply {
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"image\"; filename=".to_vec();
    body.extend_from_slice(name);
    body.extend_from_slice(b"\r\ncontent-type: image/png\r\n\r\n");
    body.extend_from_slice(SCENE);
    body.extend_from_slice(b"\r\n--b\r\ncontent-disposition: form-data; name=\"request\"\r\n\r\n");
    body.extend_from_slice(br#"{"questions":[{"task":"od"}]}"#);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let mut stream = server.connect();
    stream
        .write_all(&head("POST", "/v1/run", server.address, &kind, body.len()))
        .unwrap();
    let _ = stream.write_all(&body);
    Reply::read(&mut stream)
}

#[test]
fn no_name_of_a_file_stops_its_photo() {
    let server = Running::start(Limits::default());
    let long = [b"\"", "n".repeat(7_000).as_bytes(), b".png\""].concat();
    for name in [
        &b"\"caf\xe9.png\""[..],
        b"\"bad\xff\xfe.png\"",
        "\"Ünïcödé 🎈.png\"".as_bytes(),
        b"\"\"",
        b"\"../../etc/passwd\"",
        b"\"C:\\\\photos\\\\a.png\"",
        b"\"a\\\"b.png\"",
        b"\"a;b=c.png\"",
        b"\"a%0d%0ab.png\"",
        b"\"; name=\"",
        b"plain.png",
        b"\"<script>alert(1)</script>\"",
        b"\"a.png\"; filename*=iso-8859-1'en'caf%E9.png",
        &long,
    ] {
        let reply = named(&server, name);
        let shown = String::from_utf8_lossy(&name[..name.len().min(60)]);
        assert_eq!(reply.status, 200, "{shown}: {}", reply.text());
        let found = reply.json()["answers"][0]["value"]["value"].clone();
        assert!(!found.as_array().unwrap().is_empty());
    }
    // Control characters end the head of a part: the form is refused, and the server goes on.
    for name in [&b"\"a\0b.png\""[..], b"\"a\x01b.png\"", b"\"unclosed.png"] {
        let reply = named(&server, name);
        assert!(matches!(reply.status, 200 | 400), "{}", reply.text());
        assert!(reply.body.len() < 8_000);
    }
    assert_eq!(named(&server, b"\"good.png\"").status, 200);
    server.wait();
}

#[test]
fn the_library_and_the_server_take_photos_of_one_size() {
    assert_eq!(
        Limits::default().get_max_pixels(),
        ImageOptions::new().get_max_pixels()
    );
}
