//! EXIF orientation, very large images, and files that are not images.

mod program;

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use program::{SCENE, file, lines, run, stderr};
use serde_json::json;

/// The scene as a JPEG with this EXIF orientation.
fn turned(orientation: u8) -> Vec<u8> {
    let scene = image::open(SCENE).unwrap().into_rgb8();
    let mut jpeg = Cursor::new(Vec::new());
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    encoder.set_exif_metadata(exif).unwrap();
    let (width, height) = scene.dimensions();
    encoder
        .write_image(&scene, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    jpeg.into_inner()
}

#[test]
fn a_photo_that_is_stored_turned_is_noted_unless_it_is_turned() {
    let dir = tempfile::tempdir().unwrap();
    let photo = file(&dir, "photo.jpg", &turned(6));
    let upright = file(&dir, "upright.jpg", &turned(1));
    for task in ["od", "detect_and_describe"] {
        let output = run(&["--task", task, "--json"], &[&photo, &upright]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
        let lines = lines(&output);
        let note = json!([{ "kind": "image_stored_turned", "exif_orientation": 6 }]);
        assert_eq!(lines[0]["image_notes"], note);
        assert_eq!(lines[0]["width"], 618);
        assert!(lines[1].get("image_notes").is_none(), "{}", lines[1]);

        let output = run(&["--task", task, "--json", "--exif-orientation"], &[&photo]);
        let line = program::lines(&output).remove(0);
        assert!(line.get("image_notes").is_none());
        assert_eq!(line["width"], 524);

        let output = run(&["--task", task], &[&photo]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let notes: Vec<&str> = stdout
            .lines()
            .filter(|line| line.starts_with("note: "))
            .collect();
        let turned = notes
            .iter()
            .filter(|note| note.contains("image_stored_turned"));
        assert_eq!(turned.count(), 1, "{stdout}");
        assert!(notes[0].contains("stored turned"), "{stdout}");
        assert!(
            notes[0].ends_with("; --exif-orientation applies it"),
            "{stdout}"
        );
    }
}

/// A PNG whose header promises 60,000 × 60,000 pixels.
fn promising() -> Vec<u8> {
    let mut png = std::fs::read(SCENE).unwrap();
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    png[29..33].copy_from_slice(&0x0fb0_e215u32.to_be_bytes());
    png
}

#[test]
fn an_image_of_too_many_pixels_is_refused_by_an_option_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let large = file(&dir, "large.png", &promising());
    let output = run(&["--task", "od", "--json"], &[&large, Path::new(SCENE)]);
    assert_eq!(output.status.code(), Some(4));
    let lines = lines(&output);
    for words in ["large.png", "60000 × 60000 pixels", "--max-megapixels 256"] {
        assert!(
            lines[0]["error"].as_str().unwrap().contains(words),
            "{}",
            lines[0]
        );
    }
    assert!(lines[1]["answer"].is_object());

    // 2,000 × 1,000 pixels of one color: two million.
    let mut png = Cursor::new(Vec::new());
    let image = image::RgbImage::new(2_000, 1_000);
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let flat = file(&dir, "flat.png", &png.into_inner());
    let limit = |megapixels| {
        run(
            &["--task", "caption", "--max-megapixels", megapixels],
            &[&flat],
        )
    };
    assert_eq!(limit("2").status.code(), Some(0));
    let refused = limit("1");
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        stderr(&refused).contains("--max-megapixels 1)"),
        "{}",
        stderr(&refused)
    );
    for wrong in ["0", "1001", "-1", "many"] {
        let refused = limit(wrong);
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
        assert!(
            stderr(&refused).contains("--max-megapixels"),
            "{}",
            stderr(&refused)
        );
    }
}

#[test]
fn fractions_for_a_region_are_answered_with_a_note() {
    let scene = Path::new(SCENE);
    let ask = |region: &str, more: &[&str]| {
        let args = ["--task", "region_to_category", "--region", region];
        let output = run(&[&args, more].concat(), &[scene]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    };
    let kind = |output: &std::process::Output| {
        let odd = lines(output)[0]["diagnostics"].clone();
        let odd = odd.as_array().unwrap().clone();
        odd.iter()
            .any(|odd| odd["kind"] == "region_looks_normalised")
    };
    for (region, noted) in [
        ("0.2,0.2,0.5,0.5", true),
        ("0,0,1,1", true),
        ("0.2,0.2,0.5,1.5", false),
        ("90,180,270,350", false),
    ] {
        assert_eq!(kind(&ask(region, &["--json"])), noted, "{region}");
    }
    let stdout = String::from_utf8(ask("0.2,0.2,0.5,0.5", &[]).stdout).unwrap();
    assert!(
        stdout.contains("note: the region asked about lies within the first pixel"),
        "{stdout}"
    );
    assert!(stdout.contains("618x524"), "{stdout}");
}
