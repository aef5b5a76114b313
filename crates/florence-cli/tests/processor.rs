//! Checkpoints without a processor, and images of other sizes: `--processor`, `--image-size`,
//! `do_resize: false`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano");
const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/scene.png");

/// Without a network.
fn florence(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap()
}

fn copy_of_nano(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        fs::copy(Path::new(NANO).join(file), dir.path().join(file)).unwrap();
    }
    dir
}

/// As OmniParser's icon captioner is published.
fn network() -> TempDir {
    copy_of_nano(&["config.json", "generation_config.json", "model.safetensors"])
}

/// The lines of `run --json`, without times.
fn lines(args: &[&str]) -> Vec<Value> {
    let task = ["run", "--task", "od", "--num-beams", "1", "--json"];
    let output = florence(&[&task, args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["timings_ms"] = Value::Null;
        line
    });
    lines.collect()
}

fn refuses(args: &[&str], code: i32, words: &[&str]) {
    let output = florence(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{stderr:?} does not say {word:?}");
    }
}

#[test]
fn a_network_without_a_processor_takes_one_of_elsewhere() {
    let network = network();
    let model = network.path().to_str().unwrap();
    refuses(
        &["info", "--model", model],
        3,
        &["no tokenizer.json", "`--processor`"],
    );
    let ours = lines(&["--model", model, "--processor", NANO, SCENE]);
    assert_eq!(ours, lines(&[SCENE]));
    let info = florence(&["info", "--model", model, "--processor", NANO]);
    assert!(info.status.success());

    for (processor, words) in [
        ("no/such/folder", &["no/such/folder: no such folder"][..]),
        (model, &["no tokenizer.json, or vocab.json and merges.txt"]),
        (
            "someone/else",
            &["someone/else", "offline mode forbids downloading it"],
        ),
    ] {
        let args = ["info", "--model", model, "--processor", processor];
        refuses(&args, 3, words);
    }
    refuses(
        &["info", "--model", "nano", "--processor", NANO],
        2,
        &["argument `processor`", "these files have a tokenizer"],
    );
}

#[test]
fn images_of_another_size() {
    let tokens = |args: &[&str]| {
        let output = florence(&[&["info", "--json"], args].concat());
        assert!(output.status.success());
        let info: Value = serde_json::from_slice(&output.stdout).unwrap();
        (
            info["image"]["resize"].clone(),
            info["vision"]["visual_tokens"].clone(),
        )
    };
    assert_eq!(tokens(&[]), (json!([128, 128]), json!(65)));
    assert_eq!(
        tokens(&["--image-size", "64"]),
        (json!([64, 64]), json!(17))
    );
    assert_eq!(
        tokens(&["--image-size", "160x64"]),
        (json!([160, 64]), json!(41))
    );
    // Boxes are in pixels of the image, whatever the network saw.
    let wide = &lines(&["--image-size", "160x128", SCENE])[0];
    assert_eq!(
        (&wide["width"], &wide["height"]),
        (&json!(529), &json!(447))
    );
    assert_ne!(wide["logprobs"], lines(&[SCENE])[0]["logprobs"]);
    assert_eq!(lines(&["--image-size", "128", SCENE]), lines(&[SCENE]));

    for (size, words) in [
        (
            "0",
            &["expected N or WIDTHxHEIGHT, of 1 to 4096 pixels"][..],
        ),
        ("64x", &["expected N or WIDTHxHEIGHT"]),
        ("many", &["expected N or WIDTHxHEIGHT"]),
        (
            "161",
            &["1 to 10 positions a side", "161x161 pixels give 11 × 11"],
        ),
    ] {
        refuses(&["info", "--image-size", size], 2, words);
    }
}

#[test]
fn images_that_are_not_resized() {
    let network = network();
    let processor = copy_of_nano(&["tokenizer.json", "preprocessor_config.json"]);
    let path = processor.path().join("preprocessor_config.json");
    let mut settings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    settings["do_resize"] = json!(false);
    fs::write(&path, settings.to_string()).unwrap();
    let model = [
        "--model",
        network.path().to_str().unwrap(),
        "--processor",
        processor.path().to_str().unwrap(),
    ];

    // Crops of several sizes, one of them too large, in one run and in one batch.
    let folder = tempfile::tempdir().unwrap();
    let scene = image::open(SCENE).unwrap();
    let sizes = [
        (64, 64),
        (128, 128),
        (64, 64),
        (200, 40),
        (96, 64),
        (64, 96),
    ];
    let mut crops = Vec::new();
    for (index, (width, height)) in sizes.into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.png"));
        scene
            .crop_imm(40 + 20 * index as u32, 60, width, height)
            .save(&path)
            .unwrap();
        crops.push(path.to_str().unwrap().to_owned());
    }
    let alone = |crop: &str| lines(&[&model, [crop].as_slice()].concat()).remove(0);
    let mut args = vec!["run", "--task", "od", "--num-beams", "1", "--json"];
    args.extend(["--batch", "8"]);
    args.extend(model);
    args.extend(crops.iter().map(String::as_str));
    let output = florence(&args);
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    let together: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(together.len(), crops.len());
    for (crop, line) in crops.iter().zip(together) {
        assert_eq!(&line["image"], crop);
        if crop.ends_with("3.png") {
            let error = line["error"].as_str().unwrap();
            assert!(
                error.contains("do_resize") && error.contains("200x40 pixels give 13 × 3"),
                "{error}"
            );
            continue;
        }
        let alone = alone(crop);
        assert_eq!(line["token_ids"], alone["token_ids"], "{crop}");
        assert_eq!(line["answer"], alone["answer"], "{crop}");
    }
    // A size for all of them.
    let sized = [&model, ["--image-size", "128", SCENE].as_slice()].concat();
    assert_eq!(lines(&sized), lines(&[SCENE]));
}
