//! Paths and methods.

mod client;

use std::io::Write;

use client::{Reply, Running};
use florence_serve::Limits;

const METHODS: [&str; 9] = [
    "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND",
];

/// A request without a body, its target as it is.
fn send(server: &Running, method: &str, target: &[u8]) -> Reply {
    let mut stream = server.connect();
    let mut head = [method.as_bytes(), b" ", target].concat();
    let rest = " HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    head.extend(rest.replace("{}", &server.address.to_string()).into_bytes());
    stream.write_all(&head).unwrap();
    Reply::read(&mut stream)
}

fn allowed(reply: &Reply) -> Vec<String> {
    let line = reply
        .head
        .lines()
        .find_map(|line| line.strip_prefix("allow: "));
    let methods = line.unwrap_or_default().split(',');
    methods.map(|one| one.trim().to_uppercase()).collect()
}

#[test]
fn unknown_addresses_are_not_found_by_any_method() {
    let server = Running::start(Limits::default());
    for target in [
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/run/",
        "/v1/runs",
        "/v1",
        "/V1/run",
        "//v1/run",
        "/v1%2frun",
        "/%761/run",
        "/samples",
        "/samples/",
        "/samples/none.png",
        "/samples//dots.png",
        "/samples/./dots.png",
        "/samples/%2e%2e/page/app.js",
        "/samples/..%2fpage%2fapp.js",
        "/page/app.js",
        "/app.js/",
        "/./app.js",
        "//app.js",
        "/app%2ejs",
        "/app.js%00",
        "/%ff%fe",
        "/%",
        "/%zz",
        "/..%5c",
        "/healthz;x",
        "/.git/config",
        "*",
    ] {
        for method in METHODS {
            let reply = send(&server, method, target.as_bytes());
            assert_eq!(reply.status, 404, "{method} {target}");
            if method == "HEAD" {
                assert!(reply.body.is_empty(), "{target}");
            } else {
                let (_, code, message) = reply.error();
                assert_eq!(code, "not_found", "{method} {target}");
                assert!(message.contains("there is nothing at"), "{message}");
            }
        }
    }
    server.wait();
}

#[test]
fn known_addresses_say_which_methods_they_take() {
    let server = Running::start(Limits::default());
    let get = ["GET", "HEAD"];
    for (target, takes) in [
        ("/v1/run", &["POST"][..]),
        ("/v1/images", &["POST"]),
        ("/v1/chat/completions", &["POST"]),
        ("/v1/models", &get),
        ("/v1/models/florence-nano", &get),
        ("/api/generate", &["POST"]),
        ("/api/chat", &["POST"]),
        ("/api/show", &["POST"]),
        ("/api/tags", &get),
        ("/api/version", &get),
        ("/v1/tasks", &get),
        ("/v1/tasks?x=%ff", &get),
        ("/v1/samples", &get),
        ("/openapi.json", &get),
        ("/healthz", &get),
        ("/metrics", &get),
        ("/", &get),
        ("/?a=b", &get),
        ("/app.js", &get),
        ("/samples/dots.png", &get),
    ] {
        for method in METHODS {
            let reply = send(&server, method, target.as_bytes());
            let about = format!("{method} {target}: {}", reply.head);
            if takes.contains(&method) {
                // A body that is not there is another matter.
                assert!(!matches!(reply.status, 404 | 405), "{about}");
                if method == "HEAD" {
                    assert_eq!(reply.status, 200, "{about}");
                    assert!(reply.body.is_empty(), "{about}");
                }
                continue;
            }
            assert_eq!(allowed(&reply), takes, "{about}");
            if method == "OPTIONS" {
                assert_eq!((reply.status, reply.body.len()), (204, 0), "{about}");
            } else if method == "HEAD" {
                assert_eq!((reply.status, reply.body.len()), (405, 0), "{about}");
            } else {
                assert_eq!(reply.status, 405, "{about}");
                let error = &reply.json()["error"];
                // Ollama's form has no code.
                let is_named = error["code"] == "wrong_method" || target.starts_with("/api/");
                assert!(is_named, "{about}");
            }
        }
    }
    server.wait();
}

#[test]
fn heads_are_those_of_the_whole() {
    let server = Running::start(Limits::default());
    for target in ["/", "/app.js", "/samples/dots.png", "/v1/tasks"] {
        let get = send(&server, "GET", target.as_bytes());
        let head = send(&server, "HEAD", target.as_bytes());
        let length = format!("content-length: {}", get.body.len());
        for reply in [&get, &head] {
            assert!(reply.head.contains(&length), "{target}: {}", reply.head);
        }
    }
    server.wait();
}

#[test]
fn raw_bytes_and_whole_addresses_do_not_lead_elsewhere() {
    let server = Running::start(Limits::default());
    for target in [
        &b"/caf\xe9.png"[..],
        b"/\xff\xfe",
        b"/\xc3\xa9",
        b"/a\x01b",
        b"no/slash",
    ] {
        let reply = send(&server, "GET", target);
        assert!(
            matches!(reply.status, 400 | 404),
            "{target:?}: {}",
            reply.head
        );
    }
    let whole = format!("http://{}/v1/nothing", server.address);
    assert_eq!(send(&server, "POST", whole.as_bytes()).status, 404);
    let authority = server.address.to_string();
    let reply = send(&server, "CONNECT", authority.as_bytes());
    assert!((400..500).contains(&reply.status), "{}", reply.head);
    assert_eq!(server.get("/healthz").status, 200);
    server.wait();
}
