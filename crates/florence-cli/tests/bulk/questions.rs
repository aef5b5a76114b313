//! Several questions about each image, and those of fine-tunes.

use super::folder::Folder;
use super::{images, json};

#[test]
fn every_task_and_region_has_a_line_in_order() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    folder.put(2, "b.png");
    let args = [
        "--task",
        "caption",
        "--task",
        "region_to_category",
        "--region",
        "60,140,200,317",
        "--region",
        "0,0,50,50",
        "--json",
        "a.png",
        "b.png",
    ];
    let lines = json(&folder.run(&args));
    let asked: Vec<(&str, &str, String)> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap();
            (text("image"), text("task"), line["region"].to_string())
        })
        .collect();
    let mut expected = Vec::new();
    for image in ["a.png", "b.png"] {
        expected.push((image, "<CAPTION>", "null".to_owned()));
        expected.push((
            image,
            "<REGION_TO_CATEGORY>",
            "[60.0,140.0,200.0,317.0]".to_owned(),
        ));
        expected.push((
            image,
            "<REGION_TO_CATEGORY>",
            "[0.0,0.0,50.0,50.0]".to_owned(),
        ));
    }
    assert_eq!(asked, expected);
    // Each is what its question gets alone.
    for (line, args) in [
        (&lines[0], &["--task", "caption", "a.png"][..]),
        (
            &lines[2],
            &[
                "--task",
                "region_to_category",
                "--region",
                "0,0,50,50",
                "a.png",
            ],
        ),
        (
            &lines[4],
            &[
                "--task",
                "region_to_category",
                "--region",
                "60,140,200,317",
                "b.png",
            ],
        ),
    ] {
        let alone = json(&folder.run(&[args, &["--json"]].concat()));
        assert_eq!(alone[0]["token_ids"], line["token_ids"]);
        assert_eq!(alone[0]["answer"], line["answer"]);
    }
    // To read, each under its question.
    let output = folder.run(&args.map(|arg| if arg == "--json" { "--quiet" } else { arg }));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("a.png <CAPTION>:\n"), "{text}");
    assert!(
        text.contains("\nb.png <REGION_TO_CATEGORY> 0,0,50,50:\n"),
        "{text}"
    );
}

#[test]
fn a_marker_goes_to_the_model_as_it_is() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    let lines = json(&folder.run(&["--task", "<GENERATE_TAGS>", "--json", "a.png"]));
    assert_eq!(lines[0]["task"], "<GENERATE_TAGS>");
    assert_eq!(lines[0]["answer"]["form"], "text");
    let lines = json(&folder.run(&[
        "--task",
        "<DocVQA>",
        "--text",
        "What is the total?",
        "--json",
        "a.png",
    ]));
    assert_eq!(lines[0]["task"], "<DocVQA>");
    // One question has the fields that it always had.
    assert!(lines[0].get("input").is_none());
    // The prompt of a task, in the form of its answer, is that task.
    let prompt = "Locate the objects with category name in the image.";
    let prompted = json(&folder.run(&["--task", "od", "--json", "a.png"]));
    let mut command = folder.command();
    let output = command
        .args(["--prompt", prompt, "--answer", "boxes", "--json", "a.png"])
        .output()
        .unwrap();
    let asked = json(&output);
    assert_eq!(asked[0]["answer"], prompted[0]["answer"]);
    assert_eq!(asked[0]["task"], "<CUSTOM>");
}

#[test]
fn questions_that_cannot_be_asked_are_refused() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    for (args, words) in [
        (
            &["--task", "<CAPTON>"][..],
            &[
                "did you mean <CAPTION>?",
                "--prompt '<CAPTON>' sends it as it is",
            ][..],
        ),
        (
            &["--task", "detials"],
            &["unknown task \"detials\"", "expected one of"],
        ),
        (
            &["--task", "od", "--answer", "quads"],
            &["--answer: the answer of <OD> is boxes"],
        ),
        (
            &["--task", "od", "--task", "caption", "--text", "x"],
            &["--text: not taken by <OD> or <CAPTION>"],
        ),
        (
            &["--task", "od", "--task", "caption", "--region", "1,1,9,9"],
            &["--region: not taken by"],
        ),
        (
            &["--task", "od", "--task", "ocr", "--export", "coco=c.json"],
            &["--export: expected one question", "got 2"],
        ),
        (
            &["--task", "od", "--answer", "circles"],
            &["unknown answer form \"circles\": expected text, "],
        ),
    ] {
        folder.refuses(&[args, &["a.png"]].concat(), words);
    }
}

#[test]
fn one_bad_region_does_not_cost_the_others() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    let regions = [
        "--region",
        "0,0,50,50",
        "--region",
        "0,0,9999,50",
        "--region",
        "60,140,200,317",
    ];
    let args = [
        &["--task", "region_to_category", "--json"][..],
        &regions,
        &["a.png"],
    ]
    .concat();
    let output = folder.run(&args);
    assert_eq!(output.status.code(), Some(2));
    let lines = json(&output);
    assert_eq!(images(&lines), ["a.png"; 3]);
    assert!(lines[0]["answer"].is_object() && lines[2]["answer"].is_object());
    assert!(
        lines[1]["error"]
            .as_str()
            .unwrap()
            .contains("outside of the image")
    );
    assert_eq!(lines[1]["task"], "<REGION_TO_CATEGORY>");
}
