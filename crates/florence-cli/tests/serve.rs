//! `florence serve` as a service manager sees it.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that is ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts one; gives its address too.
    fn start() -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_florence"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        (Self(child), address)
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let (mut server, address) = Server::start();
    // Whose body is waited for.
    let mut client = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /v1/run HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\n\r\n{{"
    );
    client.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));

    server.signal("INT");
    let mut message = String::new();
    let mut errors = BufReader::new(server.0.stderr.take().unwrap());
    errors.read_line(&mut message).unwrap();
    assert!(
        message.contains("a second signal stops at once"),
        "{message}"
    );
    assert!(
        server.0.try_wait().unwrap().is_none(),
        "it waits for the body"
    );
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.0.wait().unwrap().code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(3));
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}
