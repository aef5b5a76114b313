//! Downloads, against a server on this machine that answers like the hub.
#![cfg(feature = "hub")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::{Shapes, bytes};
use florence_core::checkpoint::expected_tensors;
use florence_core::hub::{HubError, HubOptions, Part, download, download_part, locate};
use florence_core::{Checkpoint, CheckpointOptions, Config, Error, InputSize};
use serde_json::json;

const NAME: &str = "someone/Florence-2-tiny";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a request got and what it asked for.
#[derive(Clone, Debug)]
struct Request {
    path: String,
    range: Option<String>,
    authorization: Option<String>,
}

/// A hub with one repository.
struct Hub {
    endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
    /// How many more transfers of the weights break off half-way.
    breaks: Arc<Mutex<usize>>,
    /// What the next requests of a path that begins so get, instead of an answer.
    refusals: Arc<Mutex<Refusals>>,
}

/// The begin of a path, and the statuses.
type Refusals = (&'static str, Vec<&'static str>);

type Files = HashMap<String, Vec<u8>>;

impl Hub {
    fn start(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let hub = Hub {
            endpoint: endpoint.clone(),
            requests: Arc::default(),
            breaks: Arc::default(),
            refusals: Arc::default(),
        };
        let (requests, breaks) = (Arc::clone(&hub.requests), Arc::clone(&hub.breaks));
        let refusals = Arc::clone(&hub.refusals);
        let files = Arc::new(files);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, requests, breaks) = (
                    Arc::clone(&files),
                    Arc::clone(&requests),
                    Arc::clone(&breaks),
                );
                let refusals = Arc::clone(&refusals);
                // The same server by another name, which makes it another host.
                let cdn = endpoint.replace("127.0.0.1", "localhost");
                std::thread::spawn(move || {
                    let _ = answer(stream, &cdn, &files, &requests, &breaks, &refusals);
                });
            }
        });
        hub
    }

    fn options(&self, cache: &std::path::Path) -> HubOptions {
        HubOptions::new()
            .endpoint(self.endpoint.clone())
            .cache_dir(cache)
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// One request, one answer, connection closed.
fn answer(
    stream: TcpStream,
    cdn: &str,
    files: &Files,
    requests: &Mutex<Vec<Request>>,
    breaks: &Mutex<usize>,
    refusals: &Mutex<Refusals>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("").to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let range = headers.get("range").cloned();
    requests.lock().unwrap().push(Request {
        path: path.clone(),
        range: range.clone(),
        authorization: headers.get("authorization").cloned(),
    });
    let mut out = stream;
    let mut reply = |status: &str, headers: &[(&str, String)], body: &[u8], length: usize| {
        let mut head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        out.write_all(format!("{head}\r\n").as_bytes())?;
        out.write_all(body)?;
        out.flush()
    };

    {
        let mut refusals = refusals.lock().unwrap();
        if path.starts_with(refusals.0)
            && let Some(status) = refusals.1.pop()
        {
            return reply(status, &[], b"", 0);
        }
    }

    // The listing of a revision.
    if let Some(rest) = path.strip_prefix("/api/models/") {
        let known = [
            format!("{NAME}/revision/main"),
            format!("{NAME}/revision/{COMMIT}"),
            format!("{NAME}/revision/refs%2Fpr%2F1"),
        ];
        if !known.iter().any(|k| k == rest) {
            return reply(
                "401 Unauthorized",
                &[("X-Error-Code", "RepoNotFound".to_owned())],
                b"{}",
                2,
            );
        }
        let siblings: Vec<_> = files.keys().map(|f| json!({"rfilename": f})).collect();
        let body = bytes(&json!({"sha": COMMIT, "siblings": siblings, "id": NAME}));
        return reply(
            "200 OK",
            &[("Content-Type", "application/json".to_owned())],
            &body,
            body.len(),
        );
    }
    // Large files are elsewhere.
    let (file, stored_elsewhere) = match path.strip_prefix("/cdn/") {
        Some(file) => (file.to_owned(), true),
        None => match path.strip_prefix(&format!("/{NAME}/resolve/{COMMIT}/")) {
            Some(file) => (file.to_owned(), false),
            None => {
                return reply(
                    "404 Not Found",
                    &[("X-Error-Code", "RevisionNotFound".to_owned())],
                    b"",
                    0,
                );
            }
        },
    };
    let Some(content) = files.get(&file) else {
        return reply(
            "404 Not Found",
            &[("X-Error-Code", "EntryNotFound".to_owned())],
            b"",
            0,
        );
    };
    let etag = format!("{}{}", "e".repeat(30), file.len() + content.len());
    let commit = ("X-Repo-Commit", COMMIT.to_owned());
    if file.ends_with(".safetensors") && !stored_elsewhere {
        let headers = [
            commit,
            ("X-Linked-Etag", format!("\"{etag}\"")),
            ("X-Linked-Size", content.len().to_string()),
            ("Location", format!("{cdn}/cdn/{file}")),
        ];
        return reply("302 Found", &headers, b"", 0);
    }
    let (start, end) = match range
        .as_deref()
        .and_then(|r| r.strip_prefix("bytes=")?.split_once('-'))
    {
        Some((start, "")) => (start.parse().unwrap_or(0), content.len()),
        Some((start, end)) => (
            start.parse().unwrap_or(0),
            end.parse::<usize>().unwrap_or(0) + 1,
        ),
        None => (0, content.len()),
    };
    if start >= content.len() {
        return reply("416 Range Not Satisfiable", &[], b"", 0);
    }
    let end = end.min(content.len());
    let headers = [
        commit,
        ("ETag", format!("\"{etag}\"")),
        (
            "Content-Range",
            format!("bytes {start}-{}/{}", end - 1, content.len()),
        ),
    ];
    let mut body = &content[start..end];
    let length = body.len();
    if file.ends_with(".safetensors") && length > 1 {
        let mut left = breaks.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            body = &body[..length / 2];
        }
    }
    reply("206 Partial Content", &headers, body, length)
}

fn weights() -> Shapes {
    let config = Config::from_json(
        &bytes(&common::tiny_config()),
        Some(&bytes(&common::tiny_preprocessor())),
        None,
    )
    .unwrap();
    expected_tensors(&config)
        .into_iter()
        .map(|t| (t.name, t.shape))
        .collect()
}

fn tiny() -> Files {
    [
        ("config.json", bytes(&common::tiny_config())),
        ("tokenizer.json", bytes(&common::tiny_tokenizer())),
        (
            "preprocessor_config.json",
            bytes(&common::tiny_preprocessor()),
        ),
        ("README.md", b"# not needed".to_vec()),
        (
            "model.safetensors",
            common::safetensors_f32(&weights(), |_, i| i as f32),
        ),
    ]
    .map(|(name, content)| (name.to_owned(), content))
    .into()
}

#[test]
fn a_checkpoint_is_downloaded_once() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let seen: Arc<Mutex<HashMap<String, (u64, u64)>>> = Arc::default();
    let mut options = hub.options(cache.path());
    let log = Arc::clone(&seen);
    options = options.progress(move |p| {
        log.lock()
            .unwrap()
            .insert(p.file.to_owned(), (p.done, p.total));
    });
    let checkpoint = Checkpoint::from_hub_with(NAME, &options).unwrap();
    assert_eq!(checkpoint.warnings(), [""; 0]);
    assert_eq!(
        checkpoint.config().image.resize,
        Some(InputSize::square(32))
    );

    let seen = seen.lock().unwrap();
    let size = tiny()["model.safetensors"].len() as u64;
    assert_eq!(seen["model.safetensors"], (size, size));
    assert!(!seen.contains_key("README.md"));

    // The layout that the Python library uses.
    let snapshot = cache
        .path()
        .join("models--someone--Florence-2-tiny/snapshots")
        .join(COMMIT);
    assert!(snapshot.join("model.safetensors").is_file());

    // From now on neither the branch nor the commit needs the network.
    let requests = hub.count();
    assert_eq!(download(NAME, &options).unwrap(), snapshot);
    options = options.offline(true);
    assert_eq!(download(NAME, &options).unwrap(), snapshot);
    options = options.revision(COMMIT);
    assert_eq!(download(NAME, &options).unwrap(), snapshot);
    assert_eq!(hub.count(), requests);
}

#[test]
fn sharded_checkpoints_come_whole() {
    let mut files = tiny();
    files.remove("model.safetensors");
    let names = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    let mut parts = [Shapes::new(), Shapes::new()];
    let mut map = serde_json::Map::new();
    for (i, (name, shape)) in weights().into_iter().enumerate() {
        map.insert(name.clone(), json!(names[i % 2]));
        parts[i % 2].insert(name, shape);
    }
    for (name, part) in names.iter().zip(&parts) {
        files.insert(
            (*name).to_owned(),
            common::safetensors_f32(part, |_, _| 0.0),
        );
    }
    files.insert(
        "model.safetensors.index.json".to_owned(),
        bytes(&json!({"weight_map": map})),
    );
    let cache = tempfile::tempdir().unwrap();
    let mut lacking = files.clone();
    lacking.remove(names[1]);
    let hub = Hub::start(lacking);
    let error = download(NAME, &hub.options(cache.path())).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{NAME} at revision main has no model-00002-of-00002.safetensors")
    );
    // Half of it in the cache is not a checkpoint.
    let hub = Hub::start(files);
    let mut options = hub.options(cache.path());
    options = options.offline(true);
    assert!(download(NAME, &options).is_err());
    options = options.offline(false);
    Checkpoint::from_hub_with(NAME, &options).unwrap();
}

#[test]
fn broken_transfers_are_resumed() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    *hub.breaks.lock().unwrap() = 2;
    let mut options = hub.options(cache.path());
    options = options.retries(0);
    let error = download(NAME, &options).unwrap_err();
    assert!(
        matches!(error, Error::Hub(HubError::Network { .. })),
        "{error}"
    );
    options = options.retries(3);
    let folder = download(NAME, &options).unwrap();
    assert_eq!(
        std::fs::read(folder.join("model.safetensors")).unwrap(),
        tiny()["model.safetensors"]
    );
    let requests = hub.requests.lock().unwrap();
    let resumed = requests.iter().filter(|r| {
        r.path.starts_with("/cdn/")
            && r.range
                .as_deref()
                .is_some_and(|r| r.ends_with('-') && r != "bytes=0-")
    });
    assert!(resumed.count() >= 2, "{requests:?}");
}

#[test]
fn a_part_that_was_finished_but_not_renamed_does_no_harm() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let options = hub.options(cache.path());
    let folder = download(NAME, &options).unwrap();
    let link = folder.join("model.safetensors");
    let blob = link.canonicalize().unwrap();
    std::fs::rename(&blob, blob.with_extension("part")).unwrap();
    std::fs::remove_file(&link).unwrap();
    download(NAME, &options).unwrap();
    assert_eq!(std::fs::read(&link).unwrap(), tiny()["model.safetensors"]);
}

#[test]
fn a_token_is_sent_only_when_given() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    download(NAME, &options).unwrap();
    assert!(
        hub.requests
            .lock()
            .unwrap()
            .iter()
            .all(|r| r.authorization.is_none())
    );
    options = options.token("secret");
    assert!(!format!("{options:?}").contains("secret"));
    options = options.cache_dir(cache.path().join("other"));
    download(NAME, &options).unwrap();
    let requests = hub.requests.lock().unwrap();
    assert!(
        requests
            .iter()
            .any(|r| r.authorization.as_deref() == Some("Bearer secret"))
    );
    // The transfer from another host, where large files are stored, has none. (hf-hub 0.5 sends it with
    // the request of one byte that asks for the length.)
    let stored = requests
        .iter()
        .filter(|r| r.path.starts_with("/cdn/") && r.range.as_deref() == Some("bytes=0-"));
    let tokens: Vec<_> = stored.map(|r| r.authorization.as_deref()).collect();
    assert_eq!(tokens, [None, None]);
}

#[test]
fn what_passes_is_tried_again() {
    const TOO_MANY: &str = "429 Too Many Requests";
    const BUSY: &str = "503 Service Unavailable";
    for path in ["/api/models/", "/someone/", "/cdn/"] {
        let hub = Hub::start(tiny());
        let cache = tempfile::tempdir().unwrap();
        *hub.refusals.lock().unwrap() = (path, vec![BUSY, TOO_MANY]);
        let options = hub.options(cache.path());
        let folder = download(NAME, &options).unwrap();
        assert_eq!(
            std::fs::read(folder.join("model.safetensors")).unwrap(),
            tiny()["model.safetensors"],
            "{path}"
        );
        assert!(hub.refusals.lock().unwrap().1.is_empty());

        for (status, words) in [
            (
                TOO_MANY,
                "429 (too many requests: try again later; a token in HF_TOKEN",
            ),
            (BUSY, "503 (the server has a problem: try again later)"),
        ] {
            let cache = tempfile::tempdir().unwrap();
            let options = hub.options(cache.path()).retries(0);
            *hub.refusals.lock().unwrap() = (path, vec![status]);
            let error = download(NAME, &options).unwrap_err();
            assert!(matches!(error, Error::Hub(HubError::Network { .. })));
            assert!(error.to_string().contains(words), "{path}: {error}");
        }
    }
}

#[test]
fn revisions_with_slashes() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    options = options.revision("refs/pr/1");
    let folder = download(NAME, &options).unwrap();
    options = options.offline(true);
    assert_eq!(download(NAME, &options).unwrap(), folder);
    // A revision in the name counts more than that of the options.
    let name = format!("{NAME}@refs/pr/1");
    let options = options.revision("v2");
    assert_eq!(download(&name, &options).unwrap(), folder);
    assert_eq!(locate(&name, Part::Checkpoint, &options).unwrap(), folder);
    let error = download(NAME, &options).unwrap_err().to_string();
    assert!(error.contains("at revision v2"), "{error}");
}

#[test]
fn unknown_names_and_revisions() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    assert_eq!(
        download("someone/else", &options).unwrap_err().to_string(),
        format!(
            "{} has no model someone/else at revision main: check the spelling; if it is private or gated, ask for access on its page and set HF_TOKEN",
            hub.endpoint
        )
    );
    options = options.revision("v2");
    let error = download(NAME, &options).unwrap_err();
    assert!(
        matches!(error, Error::Hub(HubError::UnknownRepo { .. })),
        "{error}"
    );
}

#[test]
fn parts_of_a_checkpoint() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let options = hub.options(cache.path());
    let processor = download_part(NAME, Part::Processor, &options).unwrap();
    let has = |folder: &std::path::Path, file: &str| folder.join(file).is_file();
    assert!(has(&processor, "tokenizer.json") && has(&processor, "preprocessor_config.json"));
    assert!(!has(&processor, "model.safetensors") && !has(&processor, "config.json"));
    // Neither is the checkpoint.
    let offline = hub.options(cache.path()).offline(true);
    assert!(download(NAME, &offline).is_err());
    assert!(download_part(NAME, Part::Network, &offline).is_err());
    assert_eq!(
        download_part(NAME, Part::Processor, &offline).unwrap(),
        processor
    );

    // A fine-tune without a tokenizer, with that of its base.
    let mut files = tiny();
    files.remove("tokenizer.json");
    files.remove("preprocessor_config.json");
    let hub = Hub::start(files);
    let cache = tempfile::tempdir().unwrap();
    let options = hub.options(cache.path());
    assert!(download(NAME, &options).is_err());
    let network = download_part(NAME, Part::Network, &options).unwrap();
    let options = CheckpointOptions::new().processor(&processor);
    let checkpoint = Checkpoint::from_dir_with(network, &options).unwrap();
    assert_eq!(
        checkpoint.config().image.resize,
        Some(InputSize::square(32))
    );
}

#[test]
fn an_adapter_is_downloaded() {
    let folder = std::path::Path::new("tests/goldens/adapters/layers");
    let read = |name: &str| (name.to_owned(), std::fs::read(folder.join(name)).unwrap());
    let files = ["adapter_config.json", "adapter_model.safetensors"].map(read);
    let hub = Hub::start(files.into());
    let cache = tempfile::tempdir().unwrap();
    let options = hub.options(cache.path());
    let adapter = download_part(NAME, Part::Adapter, &options).unwrap();
    let base = Checkpoint::from_dir("tests/goldens/plain").unwrap();
    base.with_adapter(&adapter).unwrap();
    let offline = hub.options(cache.path()).offline(true);
    assert_eq!(
        download_part(NAME, Part::Adapter, &offline).unwrap(),
        adapter
    );
    let error = download(NAME, &options).unwrap_err().to_string();
    assert_eq!(error, format!("{NAME} at revision main has no config.json"));
    let error = download_part(NAME, Part::Processor, &options).unwrap_err();
    assert!(error.to_string().contains("has no tokenizer.json"));
}

#[test]
fn repositories_that_are_no_checkpoint() {
    for (without, expected) in [
        ("config.json", "config.json"),
        (
            "tokenizer.json",
            "tokenizer.json, or vocab.json and merges.txt",
        ),
        (
            "model.safetensors",
            "model.safetensors, or model.safetensors.index.json, or pytorch_model.bin, or \
             pytorch_model.bin.index.json",
        ),
    ] {
        let mut files = tiny();
        files.remove(without);
        let hub = Hub::start(files);
        let cache = tempfile::tempdir().unwrap();
        let error = download(NAME, &hub.options(cache.path()))
            .unwrap_err()
            .to_string();
        assert_eq!(error, format!("{NAME} at revision main has no {expected}"));
    }
}

#[test]
fn old_repositories_have_pickles_only() {
    let mut files = tiny();
    files.remove("model.safetensors");
    files.insert(
        "pytorch_model.bin".to_owned(),
        common::read_data("pickle/pytorch_model.bin"),
    );
    let hub = Hub::start(files);
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    Checkpoint::from_hub_with(NAME, &options).unwrap();
    options = options.offline(true);
    Checkpoint::from_hub_with(NAME, &options).unwrap();
}

#[test]
fn offline_mode_asks_nobody() {
    let hub = Hub::start(tiny());
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    options = options.offline(true);
    let error = download(NAME, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{NAME} at revision main is not complete in the cache {}, and offline mode forbids downloading it: unset HF_HUB_OFFLINE, or copy the files from a machine with a network",
            cache.path().display()
        )
    );
    assert_eq!(hub.count(), 0);
}

#[test]
fn nobody_listening() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let cache = tempfile::tempdir().unwrap();
    let options = HubOptions::new()
        .cache_dir(cache.path())
        .endpoint(format!("http://127.0.0.1:{port}"));
    let error = download(NAME, &options).unwrap_err();
    assert!(
        matches!(error, Error::Hub(HubError::Network { .. })),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with(&format!("http://127.0.0.1:{port}/api/models/{NAME}")),
        "{error}"
    );
}

#[test]
fn names_cannot_lead_out_of_the_cache() {
    let mut options = HubOptions::new().offline(true);
    for name in [
        "",
        "../../etc",
        "a/b/c",
        "/etc/passwd",
        "a//b",
        "a/..",
        "a b",
        "a?b",
        "a\\b",
        ".hidden/x",
    ] {
        let error = download(name, &options).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "argument `name` is {name:?}, expected a repository such as \"microsoft/Florence-2-base\""
            )
        );
    }
    for revision in ["", "../main", "/main", "a..\\b", "x y", "refs/../x"] {
        options = options.revision(revision);
        assert!(
            matches!(download(NAME, &options), Err(Error::Argument { .. })),
            "{revision}"
        );
    }
}

#[test]
fn vocab_and_merges_come_where_there_is_no_tokenizer_json() {
    let mut files = tiny();
    files.remove("tokenizer.json");
    let vocab = bytes(&common::tiny_tokenizer()["model"]["vocab"]);
    files.insert("vocab.json".to_owned(), vocab);
    files.insert("merges.txt".to_owned(), b"#version: 0.2\n".to_vec());
    files.insert("special_tokens_map.json".to_owned(), b"{}".to_vec());
    let hub = Hub::start(files);
    let cache = tempfile::tempdir().unwrap();
    let mut options = hub.options(cache.path());
    let folder = download(NAME, &options).unwrap();
    assert!(folder.join("special_tokens_map.json").is_file());
    options = options.offline(true);
    let checkpoint = Checkpoint::from_hub_with(NAME, &options).unwrap();
    assert_eq!(checkpoint.tokenizer().location_id(0), Some(265));
}
