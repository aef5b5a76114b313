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

/// A list of paths with NULL and a path twice, a folder whose name has to be encoded, a query with comments.
#[test]
fn keys_are_taken_as_they_are() {
    let dir = photos(3);
    let list = dir.path().join("list.parquet");
    let list = list.to_str().unwrap();
    let photo = |number: u32| format!("{}/000{number}.png", dir.path().display());
    let rows = format!(
        "COPY (VALUES (1, '{0}'), (2, NULL), (3, '{1}'), (4, '{0}')) TO '{list}'",
        photo(0),
        photo(1)
    );
    stdout(&florence_sql(&[&rows]));
    let out = dir.path().join("answers of 100%");
    let sql =
        "SELECT column1, column2, florence_text(column2, 'caption') AS answer FROM todo; -- all";
    let args = [
        "--from",
        list,
        "--key",
        "column2",
        "--resume",
        out.to_str().unwrap(),
        "--chunk",
        "2",
        sql,
    ];
    for _ in 0..2 {
        stdout(&florence_sql(&args));
        let rows = format!(
            "CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION '{}/';
             SELECT column1, answer IS NULL AS empty FROM done ORDER BY column1",
            out.display()
        );
        let rows = stdout(&florence_sql(&["--format", "json", &rows]));
        let expected = [(1, false), (2, true), (3, false), (4, false)]
            .map(|(row, empty)| format!("{{\"column1\":{row},\"empty\":{empty}}}\n"));
        assert_eq!(rows, expected.concat());
    }
    // A folder with the rows of another query.
    let other = dir.path().join("other");
    let other = other.to_str().unwrap();
    stdout(&florence_sql(&[&format!(
        "COPY (SELECT 1 AS n) TO '{other}/n.parquet'"
    )]));
    let error = stderr(&florence_sql(&[
        "--from", list, "--key", "column2", "--resume", other, sql,
    ]));
    let expected = "/other/: expected the answers of this query, with the column column2";
    assert!(error.contains(expected), "{error}");
    let error = stderr(&florence_sql(&["--from", "todo", "--resume", "x", sql]));
    assert!(
        error.contains("--from todo: expected a table of another name"),
        "{error}"
    );
}

/// In one session: files that were written since are seen.
#[test]
fn a_folder_is_listed_by_each_query() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().display();
    let chunk = |number: u32| {
        let left = "SELECT value AS n FROM generate_series(1, 9) LEFT ANTI JOIN done ON value = done.n ORDER BY n LIMIT 4";
        format!("COPY ({left}) TO '{folder}/{number}.parquet' STORED AS PARQUET;")
    };
    let sql = format!(
        "CREATE EXTERNAL TABLE done (n BIGINT) STORED AS PARQUET LOCATION '{folder}/'; {} {} {}
         SELECT count(*) AS rows, count(DISTINCT n) AS numbers FROM done",
        chunk(1),
        chunk(2),
        chunk(3)
    );
    let rows = stdout(&florence_sql(&["--format", "json", &sql]));
    assert_eq!(rows.lines().last().unwrap(), "{\"rows\":9,\"numbers\":9}");
}
