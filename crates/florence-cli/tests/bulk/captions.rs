//! `--captions`.

use std::fs;

use super::folder::Folder;
use super::json;

fn filled() -> Folder {
    let folder = Folder::new();
    folder.put(1, "p/a.png");
    folder.put(2, "p/sub/b.png");
    folder
}

/// What the command prints for an image.
fn caption(folder: &Folder, image: &str) -> String {
    let lines = json(&folder.run(&["--task", "caption", "--json", image]));
    lines[0]["answer"]["value"]["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn each_image_has_its_text_beside_it() {
    let folder = filled();
    let (a, b) = (caption(&folder, "p/a.png"), caption(&folder, "p/sub/b.png"));
    let args = [
        "--task",
        "caption",
        "--captions",
        "beside",
        "--prefix",
        "sks, ",
        "--suffix",
        ".",
        "p",
    ];
    let stderr = folder.runs(&args);
    assert!(stderr.contains("2 of 2 images answered"), "{stderr}");
    assert_eq!(folder.text("p/a.txt"), format!("sks, {a}."));
    assert_eq!(folder.text("p/sub/b.txt"), format!("sks, {b}."));
    // They are not replaced without being told to.
    folder.refuses(
        &args,
        &[
            "--captions beside: caption files that exist: 2, first p/a.txt",
            "--skip-existing",
        ],
    );
    fs::write(folder.path("p/a.txt"), "by hand").unwrap();
    let stderr = folder.runs(&[&args[..], &["--skip-existing"]].concat());
    assert!(
        stderr.contains("0 of 2 images answered, 2 already done"),
        "{stderr}"
    );
    assert_eq!(folder.text("p/a.txt"), "by hand");
    folder.runs(&["--task", "caption", "--captions", "beside", "--append", "p"]);
    assert_eq!(folder.text("p/a.txt"), format!("by hand, {a}"));
    folder.runs(&[
        "--task",
        "caption",
        "--captions",
        "beside",
        "--overwrite",
        "--quiet",
        "p",
    ]);
    assert_eq!(folder.text("p/a.txt"), a);
}

#[test]
fn a_folder_of_captions_has_the_same_subfolders() {
    let folder = filled();
    folder.runs(&["--task", "caption", "--captions", "out", "p"]);
    assert_eq!(folder.files("out"), ["out/a.txt", "out/sub/b.txt"]);
    folder.runs(&[
        "--task",
        "caption",
        "--captions",
        "named",
        "--images-root",
        ".",
        "p",
    ]);
    assert_eq!(
        folder.files("named"),
        ["named/p/a.txt", "named/p/sub/b.txt"]
    );
}

#[test]
fn one_file_is_of_one_image() {
    let folder = filled();
    folder.put(3, "p/a.jpg"); // a PNG inside, which is fine
    let output = folder.run(&["--task", "caption", "--captions", "beside", "p"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains(
            "p/a.txt: not written: this is the file of p/a.jpg, an image of the same name"
        ),
        "{stderr}"
    );
    assert_eq!(folder.text("p/a.txt"), caption(&folder, "p/a.jpg"));
}

#[test]
fn answers_without_text_have_no_captions() {
    let folder = filled();
    folder.refuses(
        &["--task", "od", "--captions", "beside", "p"],
        &["<OD> answers with boxes"],
    );
    folder.refuses(
        &[
            "--task",
            "caption",
            "--task",
            "ocr",
            "--captions",
            "beside",
            "p",
        ],
        &["expected one question, got 2"],
    );
    let output = folder.run(&["--task", "caption", "--prefix", "x", "p"]);
    assert_eq!(output.status.code(), Some(2));
}
