//! The program `florence-sql`.
#![cfg(feature = "cli")]

mod session;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use session::{photos, scene};

fn florence_sql(args: &[&str]) -> Output {
    let fast = ["--set", "florence.num_beams=1"];
    Command::new(env!("CARGO_BIN_EXE_florence-sql"))
        .args(fast)
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_query_is_answered_in_each_format() {
    let sql = format!(
        "SELECT 1 AS one, florence_text('{}', 'caption') AS caption",
        scene()
    );
    let caption = "a cyan diamond, a green triangle and a black pentagon with text";
    let json = stdout(&florence_sql(&["--format", "json", &sql]));
    assert_eq!(json, format!("{{\"one\":1,\"caption\":\"{caption}\"}}\n"));
    let csv = stdout(&florence_sql(&["--format", "csv", "-c", &sql]));
    assert_eq!(csv, format!("one,caption\n1,\"{caption}\"\n"));
    let output = florence_sql(&[&sql]);
    assert!(stdout(&output).contains(&format!("| 1   | {caption} |")));
    assert!(
        stderr(&output).starts_with("1 answers in "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn statements_of_a_file_run_in_order() {
    let dir = photos(2);
    let file = dir.path().join("query.sql");
    let sql = format!(
        "CREATE EXTERNAL TABLE p STORED AS IMAGES LOCATION '{}';\nSET florence.batch = 2; SELECT count(*) AS n FROM p;",
        dir.path().display(),
    );
    std::fs::write(&file, sql).unwrap();
    let rows = stdout(&florence_sql(&[
        "--format",
        "json",
        "--file",
        file.to_str().unwrap(),
    ]));
    assert_eq!(rows, "{\"n\":3}\n");
}

#[test]
fn errors_are_one_line() {
    for (args, expected) in [
        (
            &["SELECT florence('a.png', 'odd')"][..],
            "florence: unknown task \"odd\"",
        ),
        (
            &["--set", "florence.batch=0", "SELECT 1"],
            "florence.batch is \"0\"",
        ),
        (&["--file", "no.sql"], "--file no.sql: "),
        (
            &["--resume", "/dev/null/x", "--from", "t", "SELECT 1"],
            "--resume /dev/null/x: ",
        ),
    ] {
        let output = florence_sql(args);
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        assert!(
            error.contains(expected) && error.lines().count() == 1,
            "{error}"
        );
    }
    assert_eq!(
        florence_sql(&["--images", "photos", "SELECT 1"])
            .status
            .code(),
        Some(2)
    );
}

/// How often each photo is in the folder.
fn counts(out: &Path) -> Vec<Value> {
    let sql = format!(
        "CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION '{}/';
         SELECT path, count(*) AS n FROM done WHERE answer IS NOT NULL GROUP BY path",
        out.display(),
    );
    let lines = stdout(&florence_sql(&["--format", "json", &sql]));
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_interrupted_query_goes_on_with_what_is_left() {
    let dir = photos(9);
    let out = dir.path().join("answers");
    let images = format!("photos={}", dir.path().display());
    let sql = "SELECT path, florence(path, 'od') AS answer FROM todo";
    let args = [
        "--images",
        &images,
        "--from",
        "photos",
        "--resume",
        out.to_str().unwrap(),
        "--chunk",
        "4",
        sql,
    ];
    // What is left of a file that was being written.
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("1.parquet#1"), b"PAR1").unwrap();
    stdout(&florence_sql(&args));
    std::fs::remove_file(out.join("1.parquet#1")).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 3);
    let once = |counts: &[Value]| counts.len() == 10 && counts.iter().all(|row| row["n"] == 1);
    assert!(once(&counts(&out)), "{:?}", counts(&out));

    // As if it had been stopped in the second chunk.
    std::fs::remove_file(&files[1]).unwrap();
    std::fs::remove_file(&files[2]).unwrap();
    let before = std::fs::metadata(&files[0]).unwrap().modified().unwrap();
    let output = florence_sql(&args);
    stdout(&output);
    assert!(once(&counts(&out)), "{:?}", counts(&out));
    assert_eq!(
        std::fs::metadata(&files[0]).unwrap().modified().unwrap(),
        before
    );
    // Nothing is left.
    let output = florence_sql(&args);
    assert_eq!(stdout(&output), "");
    assert!(
        !stderr(&output).contains("answers in"),
        "{}",
        stderr(&output)
    );

    for (sql, expected) in [
        (
            "SELECT florence(path, 'od') AS answer FROM todo",
            "--key path: the query does not select this column",
        ),
        (
            "SELECT path, 1 AS answer FROM todo WHERE 1 = 2",
            "10 of 10 keys have no row in file:",
        ),
        (
            "SELECT upper(path) AS path, 1 AS answer FROM todo",
            "expected a row with the path of each row of `todo`",
        ),
        ("SELECT 1; SELECT 2", "expected one SELECT"),
        ("DROP TABLE photos", "expected one SELECT"),
    ] {
        let other = tempfile::tempdir().unwrap();
        let other = other.path();
        let args = [
            "--images",
            &images,
            "--from",
            "photos",
            "--resume",
            other.to_str().unwrap(),
            sql,
        ];
        let output = florence_sql(&args);
        assert!(
            !output.status.success() && stderr(&output).contains(expected),
            "{}",
            stderr(&output)
        );
    }
}
