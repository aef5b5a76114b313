//! Checkpoints by name, against a hub on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano");
const SCENE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../florence-nano/eval/images/001.png"
);
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const FILES: [&str; 5] = [
    "config.json",
    "tokenizer.json",
    "preprocessor_config.json",
    "generation_config.json",
    "model.safetensors",
];

/// What `someone/network` lacks.
const TOKENIZER: [&str; 2] = ["tokenizer.json", "preprocessor_config.json"];

/// A hub with the model `someone/nano`, the same as `someone/gated`, which needs a token, and as
/// `someone/network`, without a tokenizer.
struct Hub {
    endpoint: String,
    requests: Arc<AtomicUsize>,
    cache: TempDir,
}

impl Hub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || answer(stream));
            }
        });
        Self {
            endpoint,
            requests,
            cache: tempfile::tempdir().unwrap(),
        }
    }

    fn florence(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_florence"))
            .args(args)
            .env("HF_ENDPOINT", &self.endpoint)
            .env("HF_HOME", self.cache.path())
            .env_remove("HF_TOKEN")
            .env_remove("HF_HUB_CACHE")
            .env_remove("HF_HUB_OFFLINE")
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    fn refuses(&self, args: &[&str], environment: &[(&str, &str)], code: i32, words: &[&str]) {
        let output = self.florence(args, environment);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        for word in words {
            assert!(message.contains(word), "{message:?} does not say {word:?}");
        }
    }
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?)
        .lines()
        .map_while(Result::ok);
    let first = lines.next()?;
    let headers: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_lowercase())
        .collect();
    let header = |name: &str| {
        headers
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let path = first.split(' ').nth(1)?.to_owned();
    let mut out = stream;
    let may = !path.contains("/gated/") || header("authorization") == Some("bearer hf_good");
    if let Some(rest) = path.strip_prefix("/api/models/someone/") {
        let (model, revision) = rest.split_once("/revision/")?;
        if !may || !["nano", "gated", "network"].contains(&model) || revision == "gone" {
            return reply(&mut out, "401 Unauthorized", "", b"");
        }
        let files: Vec<_> = FILES
            .iter()
            .filter(|name| model != "network" || !TOKENIZER.contains(name))
            .map(|name| serde_json::json!({ "rfilename": name }))
            .collect();
        let listing = serde_json::json!({ "sha": COMMIT, "siblings": files }).to_string();
        return reply(&mut out, "200 OK", "", listing.as_bytes());
    }
    let name = path
        .split("/resolve/")
        .nth(1)?
        .split_once('/')?
        .1
        .to_owned();
    let content = std::fs::read(Path::new(NANO).join(&name)).ok()?;
    let range = header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (from, to) = range.unwrap_or(("0", ""));
    let from: usize = from.parse().ok()?;
    let to = to
        .parse()
        .unwrap_or(content.len() - 1)
        .min(content.len() - 1);
    let more = format!(
        "etag: \"{name}-1\"\r\nx-repo-commit: {COMMIT}\r\naccept-ranges: bytes\r\n\
         content-range: bytes {from}-{to}/{}\r\n",
        content.len()
    );
    let status = if range.is_some() {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    reply(&mut out, status, &more, &content[from..=to])
}

fn reply(out: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> Option<()> {
    let length = body.len();
    write!(
        out,
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    out.write_all(body).ok()
}

fn run(model: &str) -> Vec<&str> {
    vec![
        "run",
        "--task",
        "caption",
        "--num-beams",
        "1",
        "--model",
        model,
        SCENE,
    ]
}

#[test]
fn a_model_by_name_is_downloaded_once() {
    let hub = Hub::start();
    let here = hub.florence(&run("nano"), &[]);
    assert!(here.status.success());
    let first = hub.florence(&run("someone/nano"), &[]);
    let message = String::from_utf8_lossy(&first.stderr);
    assert!(first.status.success(), "{message}");
    assert!(
        message.contains("downloading model.safetensors (7 MB)"),
        "{message}"
    );
    assert_eq!(first.stdout, here.stdout);
    let asked = hub.requests.load(Ordering::Relaxed);
    assert!(asked > 5);
    // From the cache, by revision and without a network too, and without a word.
    let commit = format!("someone/nano@{COMMIT}");
    for (model, environment) in [
        ("someone/nano", &[][..]),
        ("someone/nano@main", &[]),
        (&commit, &[]),
        ("someone/nano", &[("HF_HUB_OFFLINE", "1")]),
    ] {
        let again = hub.florence(&run(model), environment);
        assert_eq!(
            (again.stdout, again.stderr),
            (here.stdout.clone(), Vec::new()),
            "{model}"
        );
    }
    assert_eq!(hub.requests.load(Ordering::Relaxed), asked);
}

#[test]
fn a_processor_by_name_is_downloaded_without_its_model() {
    let hub = Hub::start();
    hub.refuses(&run("someone/network"), &[], 3, &["has no tokenizer.json"]);
    let mut args = run("someone/network");
    args.extend(["--processor", "someone/nano"]);
    let answer = hub.florence(&args, &[]);
    let message = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{message}");
    assert_eq!(answer.stdout, hub.florence(&run("nano"), &[]).stdout);
    let weights = message.matches("downloading model.safetensors");
    assert_eq!(weights.count(), 1, "{message}");
    let offline = hub.florence(&args, &[("HF_HUB_OFFLINE", "1")]);
    assert_eq!(
        (offline.stdout, offline.stderr),
        (answer.stdout, Vec::new())
    );

    let mut args = run("nano");
    args.extend(["--adapter", "someone/style"]);
    hub.refuses(&args, &[], 3, &["has no model someone/style"]);
}

#[test]
fn download_prints_the_folder() {
    let hub = Hub::start();
    let output = hub.florence(&["download", "someone/nano"], &[]);
    let folder = String::from_utf8(output.stdout).unwrap();
    let folder = Path::new(folder.trim_end());
    assert!(folder.starts_with(hub.cache.path().join("hub")));
    assert!(FILES.iter().all(|file| folder.join(file).is_file()));
    let info = hub.florence(&["info", "--model", "someone/nano"], &[]);
    assert!(
        String::from_utf8(info.stdout)
            .unwrap()
            .contains("parameters")
    );
    for name in ["nano", "a/b/c", "../x", "someone/nano@"] {
        hub.refuses(
            &["download", name],
            &[],
            2,
            &["expected the name of a model on the hub, owner/name"],
        );
    }
}

#[test]
fn what_is_not_there_is_said_with_the_way_out() {
    let hub = Hub::start();
    hub.refuses(
        &run("someone/else"),
        &[],
        3,
        &[
            "has no model someone/else",
            "check the spelling",
            "set HF_TOKEN",
        ],
    );
    hub.refuses(
        &run("someone/nano@gone"),
        &[],
        3,
        &["someone/nano at revision gone"],
    );
    hub.refuses(
        &run("someone/gated"),
        &[("HF_TOKEN", "hf_bad")],
        3,
        &["gated, ask for access"],
    );
    hub.refuses(
        &run("someone/nano"),
        &[("HF_HUB_OFFLINE", "1")],
        3,
        &["not complete in the cache", "unset HF_HUB_OFFLINE"],
    );
    hub.refuses(
        &run("someone/nano"),
        &[("HF_ENDPOINT", "http://127.0.0.1:1")],
        3,
        &["http://127.0.0.1:1/"],
    );
    let gated = hub.florence(&run("someone/gated"), &[("HF_TOKEN", "hf_good")]);
    assert!(
        gated.status.success(),
        "{}",
        String::from_utf8_lossy(&gated.stderr)
    );
    // A folder of two parts that is missing is taken for a name, and one with more is not.
    hub.refuses(&run("no/such/folder"), &[], 3, &["no/such/folder"]);
}

#[test]
fn models_lists_what_is_published_and_cached() {
    let hub = Hub::start();
    let output = hub.florence(&["models"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("microsoft/Florence-2-base-ft")
            && text.contains("463 MB")
            && text.contains("MIT")
    );
    assert_eq!(hub.requests.load(Ordering::Relaxed), 0);
}
