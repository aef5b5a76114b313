//! Names of images that are not UTF-8, or that would move the cursor of a terminal.
#![cfg(unix)]

mod program;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use program::{SCENE, file, florence, lines, run, stderr};
use serde_json::Value;

fn named(dir: &tempfile::TempDir, name: &[u8], bytes: &[u8]) -> PathBuf {
    file(dir, OsStr::from_bytes(name), bytes)
}

fn scene() -> Vec<u8> {
    std::fs::read(SCENE).unwrap()
}

/// The name that a line says, exactly.
fn exact(line: &Value) -> Vec<u8> {
    match line.get("image_bytes") {
        Some(bytes) => BASE64_STANDARD.decode(bytes.as_str().unwrap()).unwrap(),
        None => line["image"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn every_image_has_its_line_whatever_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let names: [(&[u8], bool); 7] = [
        (b"caf\xe9.png", true),
        (b"bad\xff.png", false),
        ("café.png".as_bytes(), true),
        (b"\xed\xa0\xbd.png", true),
        (b"\x80\x81\xfe", false),
        (b"two\nlines.png", true),
        (b"-\"\\\x1b[31m.png", false),
    ];
    let scene = scene();
    let paths: Vec<PathBuf> = names
        .iter()
        .map(|(name, good)| named(&dir, name, if *good { &scene } else { &b"junk"[..] }))
        .collect();
    let missing = dir.path().join(OsStr::from_bytes(b"miss\xecng.png"));
    let mut images: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    images.push(&missing);

    for task in ["caption", "detect_and_describe"] {
        let output = run(&["--task", task, "--json"], &images);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        let lines = lines(&output);
        assert_eq!(lines.len(), images.len());
        for (index, (line, path)) in lines.iter().zip(&images).enumerate() {
            assert_eq!(exact(line), path.as_os_str().as_bytes());
            assert_eq!(line["image"], *path.to_string_lossy());
            assert_eq!(line.get("image_bytes").is_some(), path.to_str().is_none());
            let good = names.get(index).is_some_and(|(_, good)| *good);
            assert_eq!(line.get("answer").is_some(), good, "{line}");
            assert_eq!(line.get("error").is_some(), !good, "{line}");
        }
    }
}

#[test]
fn the_name_comes_first_in_a_line_and_its_bytes_next() {
    let dir = tempfile::tempdir().unwrap();
    let latin = named(&dir, b"caf\xe9.png", &scene());
    let output = run(&["--task", "caption", "--json"], &[&latin]);
    assert_eq!(output.status.code(), Some(0));
    let line = lines(&output).remove(0);
    let keys: Vec<&str> = line
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys[..4], ["image", "image_bytes", "width", "height"]);
}

#[test]
fn names_do_not_break_lines_or_terminals() {
    let dir = tempfile::tempdir().unwrap();
    let good = named(&dir, b"a\nb\x1b[2J\xff.png", &scene());
    let bad = named(
        &dir,
        b"c\nd\x1b]0;title\x07\xc2\x9b\xe2\x80\xae.png",
        b"junk",
    );
    let missing = dir.path().join("e\rf");
    let output = run(&["--task", "caption"], &[&good, &bad, &missing]);
    assert_eq!(output.status.code(), Some(4));
    let (out, err) = (
        String::from_utf8(output.stdout.clone()).unwrap(),
        stderr(&output),
    );
    for text in [&out, &err] {
        let controls = text.chars().filter(|c| c.is_control() && *c != '\n');
        assert_eq!(controls.count(), 0, "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(
        out.lines()
            .next()
            .unwrap()
            .ends_with("a\\nb\\u{1b}[2J\u{fffd}.png:"),
        "{out}"
    );
    let errors: Vec<&str> = err.lines().collect();
    assert_eq!(errors.len(), 2, "{err}");
    assert!(
        errors[0].contains("c\\nd\\u{1b}]0;title\\u{7}\\u{9b}\\u{202e}.png"),
        "{err}"
    );
    assert!(errors[1].contains("e\\rf"), "{err}");
}

#[test]
fn a_region_outside_of_an_image_names_it_and_the_others_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::new(20, 20);
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let small = named(&dir, b"sm\xe4ll.png", &png.into_inner());
    let args = [
        "--task",
        "region_to_category",
        "--region",
        "90,180,270,350",
        "--json",
    ];
    let output = run(&args, &[&small, Path::new(SCENE)]);
    assert_eq!(output.status.code(), Some(2));
    let lines = lines(&output);
    assert_eq!(exact(&lines[0]), small.as_os_str().as_bytes());
    assert!(
        lines[0]["error"]
            .as_str()
            .unwrap()
            .contains("sm\u{fffd}ll.png")
    );
    assert!(lines[1]["answer"].is_object());
}

#[test]
fn a_model_in_a_folder_of_any_name_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join(OsStr::from_bytes(b"mod\xe8le"));
    let nano = Path::new(env!("CARGO_MANIFEST_DIR")).join("../florence-nano");
    std::os::unix::fs::symlink(nano, &model).unwrap();
    let output = florence([OsStr::new("info"), OsStr::new("--model"), model.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let missing = dir.path().join(OsStr::from_bytes(b"no\xe8"));
    let output = florence([
        OsStr::new("info"),
        OsStr::new("--model"),
        missing.as_os_str(),
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("no\u{fffd}"),
        "{}",
        stderr(&output)
    );
}
