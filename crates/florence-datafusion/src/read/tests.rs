//! Paths, URLs, limits and failures.

use super::*;

fn refused(read: Result<FileBytes, ReadError>) -> String {
    match read {
        Err(ReadError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn files_are_read_by_path_and_by_url() {
    let options = FlorenceOptions::default();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("50% of é#?.png");
    std::fs::write(&path, b"bytes").unwrap();
    let name = path.to_str().unwrap();
    assert_eq!(read(name, &options).await.unwrap().bytes, b"bytes");
    let url = Url::from_file_path(&path).unwrap();
    assert_eq!(read(url.as_str(), &options).await.unwrap().bytes, b"bytes");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_name() {
    let options = FlorenceOptions::default();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    for (name, expected) in [
        (format!("{folder}/no.png"), "no.png: no such file"),
        (folder.to_owned(), ": this is no file"),
        (
            "ftp://a/b.png".to_owned(),
            "ftp://a/b.png: expected a path, or a URL that begins with",
        ),
        (
            "file://host/b.png".to_owned(),
            "file://host/b.png: no file of this machine",
        ),
        ("http://[/b.png".to_owned(), "http://[/b.png: "),
    ] {
        let reason = refused(read(&name, &options).await);
        assert!(reason.contains(expected), "{reason}");
    }
    let large = dir.path().join("large.png");
    std::fs::write(&large, vec![0; (1 << 20) + 1]).unwrap();
    let small = FlorenceOptions {
        max_megabytes: 1,
        ..options
    };
    let reason = refused(read(large.to_str().unwrap(), &small).await);
    assert!(reason.ends_with("the file has 1048577 bytes, more than the limit of 1048576 (florence.max_megabytes = 1)"), "{reason}");
}

#[test]
fn errors_of_stores_are_final_or_not() {
    use object_store::Error as Store;
    type Source = Box<dyn std::error::Error + Send + Sync>;
    let s3 = Url::parse("s3://bucket/a.png").unwrap();
    let web = Url::parse("https://host/a.png").unwrap();
    let generic = |source: Source| Store::Generic {
        store: "test",
        source,
    };
    let status =
        |status: &str| generic(format!("Server returned non-2xx status code: {status}").into());
    let io = |kind: std::io::ErrorKind| generic(Box::new(std::io::Error::from(kind)));
    let path = || "a status code: 404.png".to_owned();
    let denied = |code: &str| Store::PermissionDenied {
        path: path(),
        source: format!("status code: 403: <Code>{code}</Code>").into(),
    };
    let missing = |code: &str| Store::NotFound {
        path: path(),
        source: format!("status code: 404: <Code>{code}</Code>").into(),
    };
    let unknown = || Store::Unauthenticated {
        path: path(),
        source: "status code: 401".into(),
    };
    let long = format!("https://host/{}: status code: 410", "a".repeat(600));
    for (error, url, is_final) in [
        (status("503 x"), &s3, false),
        (status("429 x"), &web, false),
        (io(std::io::ErrorKind::TimedOut), &s3, false),
        (generic("reset".into()), &web, false),
        (
            status("400 Bad Request: <Code>ExpiredToken</Code>"),
            &s3,
            false,
        ),
        (denied("InvalidAccessKeyId"), &s3, false),
        (missing("NoSuchBucket"), &s3, false),
        (unknown(), &s3, false),
        (status("400 x"), &s3, true),
        (status("410"), &web, true),
        (generic(long.into()), &web, true),
        (io(std::io::ErrorKind::PermissionDenied), &s3, true),
        (denied("AccessDenied"), &s3, true),
        (missing("NoSuchKey"), &s3, true),
        // One host wants a password, others may not.
        (unknown(), &web, true),
    ] {
        let read = ReadError::of_store(&error, url);
        assert_eq!(matches!(read, ReadError::Refused(_)), is_final, "{read:?}");
    }
}

/// A web server that answers requests with these responses in turn, each once.
#[cfg(feature = "http")]
fn server(responses: &'static [&'static str]) -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(response.as_bytes()).unwrap();
        }
    });
    address
}

#[cfg(feature = "http")]
const BUSY: &str = "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[cfg(feature = "http")]
#[tokio::test]
async fn a_read_that_fails_is_tried_again() {
    const FINE: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\nLast-Modified: Tue, 15 Nov 1994 12:45:26 GMT\r\n\r\nbytes";
    let address = server(&[BUSY, FINE]);
    let options = FlorenceOptions::default();
    let file = read(&format!("http://{address}/a.png"), &options)
        .await
        .unwrap();
    assert_eq!(file.bytes, b"bytes");
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_server_that_keeps_failing_is_an_io_error_and_a_missing_file_is_not() {
    use datafusion::common::DataFusionError;
    let address = server(&[BUSY, BUSY]);
    let options = FlorenceOptions {
        read_attempts: 2,
        ..FlorenceOptions::default()
    };
    let name = format!("http://{address}/a.png");
    let error = DataFusionError::from(read(&name, &options).await.unwrap_err());
    assert!(
        matches!(&error, DataFusionError::IoError(error) if error.to_string().starts_with(&name)),
        "{error}"
    );

    let address = server(&["HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]);
    let reason = refused(read(&format!("http://{address}/a.png"), &options).await);
    assert!(reason.ends_with("/a.png: no such object"), "{reason}");
    let reason = refused(read("http://a.example/a.png?sign=1", &options).await);
    assert!(reason.contains("without a query"), "{reason}");
}
