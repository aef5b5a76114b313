//! A server on a free port, and a client that can also misbehave. Each test file uses a part.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use florence_serve::{Limits, Server};
use florence_tasks::Florence;
use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(limits: Limits) -> Self {
        Self::start_with(limits, |server| server)
    }

    /// A server to which something was done before it starts.
    pub(crate) fn start_with(limits: Limits, change: fn(Server) -> Server) -> Self {
        let server = Server::new(Florence::nano().unwrap(), "florence-nano", limits).unwrap();
        let server = change(server);
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async { drop(stopped.await) };
                server.run(listener, stopped).await.unwrap();
            });
        });
        Self {
            address: told.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Asks the server to end, without waiting for it.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn wait(mut self) {
        self.stop();
        self.thread.take().unwrap().join().unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut stream = self.connect();
        stream
            .write_all(&head(method, path, self.address, headers, body.len()))
            .unwrap();
        // A server that has heard enough may have closed the connection.
        let _ = stream.write_all(body);
        Reply::read(&mut stream)
    }

    /// `POST /v1/run` with a JSON body.
    pub(crate) fn run(&self, body: &Value) -> Reply {
        self.post("/v1/run", body)
    }

    /// `POST` with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.send("POST", path, &json, body.to_string().as_bytes())
    }

    /// `POST /v1/run` with a multipart body of named fields.
    pub(crate) fn run_form(&self, fields: &[(&str, &[u8])], headers: &[(&str, &str)]) -> Reply {
        let (kind, body) = form(fields);
        let mut all = vec![("content-type", kind)];
        all.extend_from_slice(headers);
        self.send("POST", "/v1/run", &all, &body)
    }
}

pub(crate) fn form(fields: &[(&str, &[u8])]) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let file = if *name == "image" {
            "; filename=\"photo\""
        } else {
            ""
        };
        let part =
            format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier--\r\n");
    ("multipart/form-data; boundary=frontier", body)
}

pub(crate) fn head(
    method: &str,
    path: &str,
    address: SocketAddr,
    headers: &[(&str, &str)],
    length: usize,
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {length}\r\nconnection: close\r\n\r\n");
    head.into_bytes()
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(stream: &mut TcpStream) -> Self {
        let mut all = Vec::new();
        // Whoever is cut off has what came before.
        let _ = stream.read_to_end(&mut all);
        Self::parse(&all)
    }

    pub(crate) fn parse(all: &[u8]) -> Self {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(all)));
        let head = String::from_utf8(all[..end].to_vec())
            .unwrap()
            .to_lowercase();
        let mut body = all[end + 4..].to_vec();
        if head.contains("transfer-encoding: chunked") {
            body = unchunk(&body);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The code and the message of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |name: &str| json["error"][name].as_str().unwrap().to_owned();
        (self.status, text("code"), text("message"))
    }

    /// The data of a stream of events without names, the last of which is `[DONE]`.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let blocks = self.text().split("\n\n").filter(|block| !block.is_empty());
        let data: Vec<&str> = blocks
            .filter(|block| !block.starts_with(':'))
            .map(|block| block.strip_prefix("data: ").unwrap())
            .collect();
        let (last, chunks) = data.split_last().unwrap();
        assert_eq!(*last, "[DONE]");
        let chunks = chunks.iter();
        chunks
            .map(|chunk| serde_json::from_str(chunk).unwrap())
            .collect()
    }

    /// Lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.text().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The events of a stream: names and data.
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        let blocks = self.text().split("\n\n").filter(|block| !block.is_empty());
        let field = |block: &str, name: &str| -> String {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        blocks
            .filter(|block| !block.starts_with(':'))
            .map(|block| {
                let data = serde_json::from_str(&field(block, "data:")).unwrap();
                (field(block, "event:"), data)
            })
            .collect()
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&body[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..][..size]);
        body = &body[end + 2 + size + 2..];
    }
    whole
}
