//! The command as scripts see it: output, exit codes and messages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SCENE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../florence-nano/eval/images/001.png"
);
const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../florence-nano");

fn florence(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(args)
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap()
}

fn run(args: &[&str]) -> Output {
    florence(&[&["run"], args].concat())
}

/// The command fails with `code`, says all of `words`, and does not panic.
fn refuses(args: &[&str], code: i32, words: &[&str]) {
    let output = florence(args);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    for word in words {
        assert!(
            message.contains(word),
            "{args:?}: {message:?} does not say {word:?}"
        );
    }
    assert!(!message.contains("panicked"), "{message}");
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn parse(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_florence"))
        .arg("parse")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// A copy of the nano checkpoint with one file changed, or left out.
fn checkpoint(change: &str, bytes: Option<&[u8]>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in [
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "generation_config.json",
        "model.safetensors",
    ] {
        let target = dir.path().join(file);
        match bytes {
            Some(bytes) if file == change => std::fs::write(target, bytes).unwrap(),
            None if file == change => {}
            _ => drop(std::fs::copy(Path::new(NANO).join(file), target).unwrap()),
        }
    }
    dir
}

fn nano(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(NANO).join(file)).unwrap()
}

fn path(dir: &tempfile::TempDir) -> &str {
    dir.path().to_str().unwrap()
}

fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

#[test]
fn a_line_of_json_has_every_field() {
    let output = run(&["--task", "<OD>", "--json", SCENE, SCENE]);
    assert!(output.status.success());
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        keys(&lines[0]),
        [
            "image",
            "width",
            "height",
            "task",
            "text",
            "token_ids",
            "logprobs",
            "answer",
            "reference",
            "timings_ms",
            "device",
            "diagnostics"
        ]
    );
    let line = &lines[0];
    assert_eq!(
        (&line["width"], &line["height"]),
        (&618.into(), &524.into())
    );
    assert_eq!(line["task"], "<OD>");
    assert!(line["text"].as_str().unwrap().starts_with("</s><s>"));
    let ids = line["token_ids"].as_array().unwrap();
    assert_eq!(ids[..2], [Value::from(2), Value::from(0)]);
    assert_eq!(line["logprobs"].as_array().unwrap().len(), ids.len() - 1);
    assert!(line["reference"]["<OD>"]["bboxes"].is_array());
    assert_eq!(
        keys(&line["timings_ms"]),
        ["load", "preprocess", "vision", "encoder", "decode"]
    );
}

#[test]
fn every_task_answers_by_name_and_by_marker() {
    let tasks = florence(&["tasks"]);
    let table = String::from_utf8(tasks.stdout).unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .collect::<Vec<_>>();
    assert_eq!(rows.len(), 15);
    for row in rows {
        let (name, marker) = (row[0], row[1]);
        let input: &[&str] = match row[2] {
            "text" => &["--text", "a purple pentagon"],
            "region" => &["--region", "90,180,270,350"],
            _ => &[],
        };
        let by_name = run(&[
            &["--task", name, "--num-beams", "1", "--json", SCENE],
            input,
        ]
        .concat());
        let by_marker = run(&[
            &["--task", marker, "--num-beams", "1", "--json", SCENE],
            input,
        ]
        .concat());
        assert!(
            by_name.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&by_name.stderr)
        );
        assert_eq!(
            json_lines(&by_name)[0]["token_ids"],
            json_lines(&by_marker)[0]["token_ids"],
            "{name}"
        );
    }
}

#[test]
fn every_cascade_answers_by_name() {
    let table = String::from_utf8(florence(&["tasks"]).stdout).unwrap();
    let (_, cascades) = table.split_once("\n\n").unwrap();
    let rows = cascades.lines().skip(1);
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 9);
    for row in rows {
        let name = row[0];
        let text: &[&str] = match row[1] {
            "text" => &["--text", "a purple pentagon and a red heart"],
            _ => &[],
        };
        let arguments = ["--task", name, "--num-beams", "1", SCENE];
        let output = run(&[&arguments, text].concat());
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(!output.stdout.is_empty(), "{name}");
        let lines = json_lines(&run(&[&arguments, text, &["--json"]].concat()));
        let line = &lines[0];
        assert_eq!(
            keys(line),
            [
                "image",
                "width",
                "height",
                "task",
                "answer",
                "steps",
                "timings_ms",
                "device"
            ]
        );
        assert_eq!(line["task"], name);
        assert!(line["answer"]["form"].is_string());
        let steps = line["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["raw_text"].is_string()));
        assert!(line["timings_ms"]["decode"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_caption_is_checked_drawn_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("checked.svg");
    let coco = folder.path().join("checked.json");
    let output = run(&[
        "--task",
        "check-caption",
        "--text",
        "a purple pentagon and a red heart",
        "--annotate",
        picture.to_str().unwrap(),
        "--export",
        &format!("coco={}", coco.display()),
        SCENE,
    ]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines[0], "a purple pentagon and a red heart");
    assert!(lines[1].starts_with("a purple pentagon "), "{stdout}");
    assert!(lines[2].starts_with("a red heart? "), "{stdout}");
    assert!(
        lines[3].starts_with("warning: \"a red heart\" is not supported by the image"),
        "{stdout}"
    );
    let svg = std::fs::read_to_string(picture).unwrap();
    assert!(svg.contains("a purple pentagon") && svg.contains("a red heart?"));
    let exported: Value = serde_json::from_slice(&std::fs::read(coco).unwrap()).unwrap();
    let names: Vec<&Value> = exported["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| &category["name"])
        .collect();
    assert_eq!(
        names,
        ["a purple pentagon"],
        "unsupported phrases are left out"
    );
}

#[test]
fn outlined_objects_are_exported_as_outlines_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let yolo = format!("yolo={}", folder.path().display());
    let output = run(&["--task", "detect_and_segment", "--export", &yolo, SCENE]);
    assert!(output.status.success(), "{output:?}");
    let names = std::fs::read_to_string(folder.path().join("data.yaml")).unwrap();
    assert!(names.contains("pentagon"), "{names}");
    let labels = std::fs::read_to_string(folder.path().join("001.txt")).unwrap();
    assert!(!labels.is_empty());
    for line in labels.lines() {
        assert!(
            line.split(' ').count() >= 7,
            "an outline has three points: {line}"
        );
    }
}

#[test]
fn a_folder_is_a_model_too() {
    let by_name = run(&["--task", "caption", "--json", SCENE]);
    let by_folder = run(&["--task", "caption", "--json", "--model", NANO, SCENE]);
    assert_eq!(
        json_lines(&by_name)[0]["token_ids"],
        json_lines(&by_folder)[0]["token_ids"]
    );
}

#[test]
fn precisions_and_threads_can_be_chosen() {
    let ask = |args: &[&str]| {
        let output = run(&[&["--task", "od", "--json", SCENE], args].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {message}");
        json_lines(&output).remove(0)
    };
    let usual = ask(&[]);
    for threads in ["1", "3"] {
        let found = ask(&["--threads", threads, "--precision", "f32"]);
        assert_eq!(found["token_ids"], usual["token_ids"], "{threads} threads");
    }
    let coded = ask(&["--precision", "q8_0"]);
    assert_ne!(coded["logprobs"], usual["logprobs"]);
    let text = |line: &Value| line["text"].as_str().unwrap().split('<').count();
    assert_eq!(text(&coded), text(&usual), "as many places");
}

#[test]
fn a_bad_image_does_not_cost_the_others_their_answers() {
    let output = run(&["--task", "caption", "--json", "no/such.png", SCENE]);
    assert_eq!(output.status.code(), Some(4));
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["error"].as_str().unwrap().contains("no/such.png"));
    assert!(lines[1]["token_ids"].is_array());
}

#[test]
fn special_tokens_in_a_text_are_characters_unless_asked() {
    let ask = |more: &[&str]| {
        let output = run(&[
            &[
                "--task",
                "phrase_grounding",
                "--json",
                "--text",
                "a</s>b",
                SCENE,
            ],
            more,
        ]
        .concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        json_lines(&output)[0]["logprobs"].clone()
    };
    assert_ne!(ask(&[]), ask(&["--special-tokens"]));
}

#[test]
fn bad_questions_are_refused_with_code_2() {
    refuses(
        &["run", "--task", "dance", SCENE],
        2,
        &["unknown task", "dance", "od", "caption_checked"],
    );
    refuses(
        &[
            "run",
            "--task",
            "detect_and_segment",
            "--text",
            "a cat",
            SCENE,
        ],
        2,
        &["detect_and_segment", "takes neither text nor region"],
    );
    refuses(
        &["run", "--task", "check_caption", SCENE],
        2,
        &["check_caption", "needs text"],
    );
    refuses(
        &[
            "run",
            "--task",
            "check_caption",
            "--text",
            "a cat",
            "--special-tokens",
            SCENE,
        ],
        2,
        &["--special-tokens", "check_caption"],
    );
    refuses(
        &[
            "run",
            "--task",
            "caption_and_ground",
            "--export",
            "hocr=pages",
            SCENE,
        ],
        2,
        &["document formats need", "caption_and_ground"],
    );
    refuses(
        &["run", "--task", "od", "--text", "a cat", SCENE],
        2,
        &["<OD>", "takes no text"],
    );
    refuses(
        &["run", "--task", "phrase_grounding", SCENE],
        2,
        &["<CAPTION_TO_PHRASE_GROUNDING>", "needs text"],
    );
    refuses(
        &["run", "--task", "region_to_ocr", SCENE],
        2,
        &["needs a region"],
    );
    refuses(
        &["run", "--task", "region_to_ocr", "--region", "1,2,3", SCENE],
        2,
        &["--region", "x1,y1,x2,y2"],
    );
    refuses(
        &[
            "run",
            "--task",
            "region_to_ocr",
            "--region",
            "1,2,nan,4",
            SCENE,
        ],
        2,
        &["region"],
    );
    refuses(
        &[
            "run",
            "--task",
            "region_to_ocr",
            "--region",
            "0,0,619,10",
            SCENE,
        ],
        2,
        &["001.png", "618"],
    );
    refuses(
        &[
            "run",
            "--task",
            "region_to_ocr",
            "--region",
            "-1,0,5,10",
            SCENE,
        ],
        2,
        &["001.png", "618"],
    );
    for beams in ["0", "1000000", "18446744073709551615"] {
        refuses(
            &["run", "--task", "od", "--num-beams", beams, SCENE],
            2,
            &["num_beams", beams],
        );
    }
    refuses(
        &["run", "--task", "od", "--max-new-tokens", "0", SCENE],
        2,
        &["max_new_tokens"],
    );
    refuses(&["run", "--task", "od"], 2, &["images"]);
    for threads in ["0", "-1", "many"] {
        let threads = format!("--threads={threads}");
        refuses(
            &["run", "--task", "od", &threads, SCENE],
            2,
            &["--threads", "1 or more"],
        );
        refuses(&["info", &threads], 2, &["--threads", "1 or more"]);
    }
    refuses(
        &["run", "--task", "od", "--precision", "int4", SCENE],
        2,
        &["--precision", "int4", "f32", "q8_0"],
    );
}

#[test]
fn bad_images_are_refused_with_code_4() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let scene = std::fs::read(SCENE).unwrap();
    let truncated = write("truncated.png", &scene[..scene.len() / 2]);
    let text = write("text.png", b"not an image");
    let empty = write("empty.png", b"");
    // A header that promises 60,000 × 60,000 pixels.
    let mut huge = scene[..33].to_vec();
    huge[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    huge[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let huge = write("huge.png", &huge);
    for image in [truncated, text, empty, huge, dir.path().join("missing.png")] {
        let name = image.file_name().unwrap().to_str().unwrap();
        refuses(
            &["run", "--task", "od", image.to_str().unwrap()],
            4,
            &[name],
        );
    }
}

#[test]
fn bad_checkpoints_are_refused_with_code_3() {
    let model = |dir: &tempfile::TempDir, words: &[&str]| {
        refuses(
            &["run", "--task", "od", "--model", path(dir), SCENE],
            3,
            words,
        );
        refuses(&["info", "--model", path(dir)], 3, words);
    };
    refuses(
        &["info", "--model", "no/such/folder"],
        3,
        &["no/such/folder"],
    );
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        model(&checkpoint(file, None), &[file]);
    }
    let config = String::from_utf8(nano("config.json")).unwrap();
    let odd = config.replace(
        "\"activation_function\": \"gelu\"",
        "\"activation_function\": \"swoosh\"",
    );
    assert_ne!(odd, config);
    model(
        &checkpoint("config.json", Some(odd.as_bytes())),
        &["activation_function", "swoosh", "gelu"],
    );
    let huge = config.replace("\"d_model\": 128", "\"d_model\": 4000000000");
    model(
        &checkpoint("config.json", Some(huge.as_bytes())),
        &["d_model", "4000000000"],
    );
    let wider = config.replace("\"encoder_ffn_dim\": 512", "\"encoder_ffn_dim\": 640");
    model(
        &checkpoint("config.json", Some(wider.as_bytes())),
        &["fc1", "[512, 128]", "[640, 128]"],
    );
    let weights = nano("model.safetensors");
    model(
        &checkpoint("model.safetensors", Some(&weights[..weights.len() - 10])),
        &["model.safetensors"],
    );
    let mut corrupt = weights.clone();
    corrupt[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    model(
        &checkpoint("model.safetensors", Some(&corrupt)),
        &["model.safetensors"],
    );
    let mut garbled = weights;
    garbled[9] = b'}';
    model(
        &checkpoint("model.safetensors", Some(&garbled)),
        &["model.safetensors"],
    );
    model(
        &checkpoint("tokenizer.json", Some(b"{}")),
        &["tokenizer.json"],
    );
}

#[test]
fn answers_are_parsed_without_a_model() {
    let line = r#"{"task":"<OD>","text":"</s><s>car<loc_54><loc_375><loc_906><loc_707></s>","size":[640,480]}"#;
    let microsoft = parse(&["--compat", "microsoft"], line);
    assert_eq!(
        String::from_utf8(microsoft.stdout).unwrap().trim(),
        r#"{"<OD>": {"bboxes": [[34.880001068115234, 180.239990234375, 580.1599731445312, 339.6000061035156]], "labels": ["car"]}}"#
    );
    let transformers = parse(&["--compat", "transformers"], line);
    assert_eq!(
        json_lines(&transformers)[0]["<OD>"]["bboxes"][0],
        serde_json::json!([34, 180, 580, 339])
    );
    let typed = parse(&[], &format!("{line}\n\n{line}\n"));
    let lines = json_lines(&typed);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["task"], "<OD>");
    assert_eq!(lines[0]["answer"]["value"][0]["label"], "car");
    assert!(lines[0]["diagnostics"].as_array().unwrap().is_empty());
}

#[test]
fn a_bad_line_is_named() {
    let output = parse(&[], "{\"task\":\"<OD>\"}\n");
    assert_eq!(output.status.code(), Some(4));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("line 1") && message.contains("text"),
        "{message}"
    );
}

#[test]
fn info_says_what_a_checkpoint_is() {
    let output = florence(&["info", "--json"]);
    let info = &json_lines(&output)[0];
    assert_eq!(info["layout"], "transformers");
    assert_eq!(info["precision"], "f32");
    assert_eq!(info["vision"]["visual_tokens"], 65);
    assert_eq!(info["generation"]["num_beams"], 3);
    assert!(info["warnings"].is_array());
    let coded = florence(&["info", "--precision", "q8_0", "--threads", "2", "--json"]);
    assert_eq!(json_lines(&coded)[0]["precision"], "q8_0");
    let text = String::from_utf8(florence(&["info"]).stdout).unwrap();
    assert!(text.contains("visual_tokens"), "{text}");
}

#[test]
fn an_answer_can_be_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (png, svg) = (path("boxes.png"), path("boxes.svg"));

    let output = run(&["--task", "od", "--annotate", &png, SCENE]);
    assert!(output.status.success(), "{output:?}");
    let (drawn, scene) = (image::open(&png).unwrap(), image::open(SCENE).unwrap());
    assert_eq!(
        (drawn.width(), drawn.height()),
        (scene.width(), scene.height())
    );
    assert_ne!(drawn.into_rgb8(), scene.into_rgb8());

    let output = run(&["--task", "od", "--annotate", &svg, SCENE]);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(
        text.starts_with("<svg ") && text.contains("</text>"),
        "{text:.300}"
    );
    assert!(
        text.contains("href=\"data:image/jpeg;base64,"),
        "{text:.300}"
    );
}

#[test]
fn a_picture_that_cannot_be_written_does_not_cost_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let wide = path("wide.png");
    image::RgbImage::new(70_000, 4).save(&wide).unwrap();
    let ask = |picture: &str| {
        let args = ["--task", "od", "--num-beams", "1", "--json"];
        run(&[&args[..], &["--annotate", picture, &wide]].concat())
    };

    let jpg = path("drawn.jpg");
    std::fs::write(&jpg, "there before").unwrap();
    let output = ask(&jpg);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("drawn.jpg"));
    assert_eq!(json_lines(&output)[0]["width"], 70_000);
    assert_eq!(std::fs::read(&jpg).unwrap(), b"there before");

    let svg = path("drawn.svg");
    assert!(ask(&svg).status.success());
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(text.contains("data:image/png;base64,"), "{text:.300}");
}

#[test]
fn the_image_is_not_drawn_over() {
    let dir = tempfile::tempdir().unwrap();
    let photo = dir.path().join("photo.png");
    std::fs::copy(SCENE, &photo).unwrap();
    let photo = photo.to_str().unwrap();
    let other_name = format!("{}/./photo.png", path(&dir));
    for picture in [photo, &other_name] {
        refuses(
            &["run", "--task", "od", "--annotate", picture, photo],
            2,
            &["--annotate", "the image itself"],
        );
    }
    assert_eq!(std::fs::read(photo).unwrap(), std::fs::read(SCENE).unwrap());
}

#[test]
fn what_cannot_be_drawn_is_refused_before_the_model_is_loaded() {
    let refused = |args: &[&str], words: &[&str]| {
        let model = ["run", "--model", "no/such/folder", "--task"];
        refuses(&[&model[..], args].concat(), 2, words);
    };
    refused(
        &["od", "--annotate", "out.txt", SCENE],
        &["out.txt", ".svg"],
    );
    refused(
        &["od", "--annotate", "out.png", SCENE, SCENE],
        &["one image", "got 2"],
    );
    refused(
        &["caption", "--annotate", "out.png", SCENE],
        &["<CAPTION>", "text"],
    );
    refused(
        &["od", "--annotate", "no/such/out.png", SCENE],
        &["the folder no/such does not exist"],
    );
}

#[test]
fn answers_become_files_of_other_tools() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let to = |format: &str, name: &str| format!("{format}={}", path(name).display());
    let scene = path("001.png");
    let copy = path("copy.png");
    std::fs::copy(SCENE, &scene).unwrap();
    std::fs::copy(SCENE, &copy).unwrap();

    let targets = [
        to("coco", "new/coco.json"),
        to("yolo", "yolo"),
        to("labelme", "labelme"),
        to("voc", "voc"),
    ];
    let exports = targets.iter().flat_map(|target| ["--export", target]);
    let images = [&scene, &copy].map(|image| image.to_str().unwrap());
    let args: Vec<&str> = ["--task", "od", "--json"]
        .into_iter()
        .chain(exports)
        .chain(images)
        .collect();
    let output = run(&args);
    assert!(output.status.success(), "{output:?}");
    let answers = json_lines(&output);
    let found = answers[0]["answer"]["value"].as_array().unwrap().len();
    assert!(found > 0);

    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let coco: Value = serde_json::from_str(&read("new/coco.json")).unwrap();
    assert_eq!(coco["images"].as_array().unwrap().len(), 2);
    assert_eq!(coco["images"][0]["file_name"], "001.png");
    assert_eq!(coco["annotations"].as_array().unwrap().len(), 2 * found);
    for name in ["001", "copy"] {
        let labels = read(&format!("yolo/{name}.txt"));
        assert_eq!(labels.lines().count(), found);
        let labelme: Value = serde_json::from_str(&read(&format!("labelme/{name}.json"))).unwrap();
        assert_eq!(labelme["shapes"].as_array().unwrap().len(), found);
        let voc = read(&format!("voc/{name}.xml"));
        assert_eq!(voc.matches("<object>").count(), found);
    }
    let label = answers[0]["answer"]["value"][0]["label"].as_str().unwrap();
    assert!(read("yolo/data.yaml").contains(&format!("0: \"{label}\"")));
}

#[test]
fn pages_of_text_become_files() {
    let dir = tempfile::tempdir().unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../florence-serve/samples/words.png");
    let to = |format: &str| format!("{format}={}", dir.path().display());
    let output = run(&[
        "--task",
        "ocr_with_region",
        "--export",
        &to("text"),
        "--export",
        &to("markdown"),
        "--export",
        &to("hocr"),
        page.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let (text, hocr) = (read("words.txt"), read("words.hocr"));
    assert!(!text.trim().is_empty() && !read("words.md").trim().is_empty());
    for word in text.split_whitespace() {
        assert!(hocr.contains(word), "{word}: {hocr}");
    }
}

#[test]
fn what_cannot_be_exported_is_refused_before_the_model_is_loaded() {
    let refused = |args: &[&str], words: &[&str]| {
        let model = ["run", "--model", "no/such/folder", "--task"];
        refuses(&[&model[..], args].concat(), 2, words);
    };
    for wrong in ["coco", "coco=", "pdf=x"] {
        refused(
            &["od", "--export", wrong, SCENE],
            &[
                "FORMAT=PATH",
                "coco, yolo, labelme, voc, hocr, markdown, text",
            ],
        );
    }
    refused(
        &["caption", "--export", "coco=x.json", SCENE],
        &["x.json", "<CAPTION>", "text"],
    );
    refused(
        &["od", "--export", "hocr=pages", SCENE],
        &["pages", "<OCR_WITH_REGION>", "<OD>"],
    );
    refused(
        &["od", "--export", &format!("coco={SCENE}"), SCENE],
        &[SCENE, "would overwrite one of the images"],
    );
}

#[test]
fn exports_are_whole_where_nobody_reads_the_answers() {
    let dir = tempfile::tempdir().unwrap();
    let coco = dir.path().join("coco.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_florence"))
        .args(["run", "--task", "od", "--export"])
        .arg(format!("coco={}", coco.display()))
        .args([SCENE, SCENE])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    let written: Value = serde_json::from_slice(&std::fs::read(coco).unwrap()).unwrap();
    assert!(written["images"].is_array());
}
