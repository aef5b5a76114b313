//! `--min-confidence`, `--nms` and `--classes`.

use serde_json::Value;

use super::folder::Folder;
use super::{answers, objects, picture};

/// Scenes in which boxes overlap: two crosses in the first by little, two proposals in the second by
/// 0.2183.
fn filled() -> Folder {
    let folder = Folder::new();
    folder.put(69, "p/a.png");
    folder.put(53, "p/b.png");
    folder
}

fn confidences(line: &Value) -> Vec<f64> {
    let objects = objects(line).iter();
    objects
        .map(|object| object["confidence"].as_f64().unwrap())
        .collect()
}

fn labels(line: &Value) -> Vec<&str> {
    let objects = objects(line).iter();
    objects
        .map(|object| object["label"].as_str().unwrap())
        .collect()
}

#[test]
fn objects_of_low_confidence_are_nowhere() {
    let folder = filled();
    let whole = answers(&folder, &["p/a.png"]);
    let mut all = confidences(&whole[0]);
    all.sort_by(f64::total_cmp);
    assert_eq!(all.len(), 4);
    // Between the second and the third.
    let least = format!("{:.6}", (all[1] + all[2]) / 2.0);
    let args = [
        "--min-confidence",
        &least,
        "--export",
        "labelme=l",
        "--export",
        "coco=c.json",
        "--export",
        "masks=m",
        "--annotate",
        "d.png",
        "--overlay",
        "o",
    ];
    let output = folder.run(&[&args[..], &["--json", "p/a.png"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let note = format!("--min-confidence {least}: 2 annotations left out");
    assert!(stderr.contains(&note), "{stderr}");
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let least: f64 = least.parse().unwrap();
    assert_eq!(confidences(&line).len(), 2);
    assert!(
        confidences(&line)
            .iter()
            .all(|confidence| *confidence >= least)
    );
    // What the model said stays what it said.
    for key in ["text", "token_ids", "logprobs", "reference", "diagnostics"] {
        assert_eq!(line[key], whole[0][key], "{key}");
    }
    assert_eq!(
        line["reference"]["<OD>"]["labels"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        folder.json("l/a.json")["shapes"].as_array().unwrap().len(),
        2
    );
    assert_eq!(
        folder.json("c.json")["annotations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(folder.files("m").len(), 3);
    // To read it is a row for each, and none for what is left out.
    let rows = |least: &str| {
        let output = folder.run(&["--min-confidence", least, "p/a.png"]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(rows(&least.to_string()).lines().count(), 2);
    assert_eq!(rows("0").lines().count(), 4);
    assert_eq!(rows("1"), "(nothing)\n");
    // The pictures differ, where objects are left out.
    let drawn = picture(&folder, "d.png");
    folder.runs(&["--annotate", "all.png", "--overlay", "all", "p/a.png"]);
    assert_ne!(picture(&folder, "all.png"), drawn);
    let painted = |name: &str| {
        let over = picture(&folder, name).into_rgba8();
        over.pixels().filter(|pixel| pixel.0[3] > 0).count()
    };
    assert!(painted("o/a.png") < painted("all/a.png"));
}

#[test]
fn of_two_that_overlap_the_better_one_stays() {
    let folder = filled();
    let asked = |more: &[&str]| answers(&folder, &[more, &["p/a.png"]].concat()).remove(0);
    let (whole, apart) = (asked(&[]), asked(&["--nms", "0"]));
    assert_eq!(labels(&whole), ["diamond", "cross", "cross", "heart"]);
    let (all, left) = (confidences(&whole), confidences(&apart));
    // The third overlaps the second, which is better.
    assert!(all[2] < all[1]);
    assert_eq!(left, [all[0], all[1], all[3]]);
    assert_eq!(asked(&["--nms", "0.01"])["answer"], whole["answer"]);

    let asked = |more: &[&str]| {
        let base = ["--task", "region_proposal"];
        answers(&folder, &[&base[..], more, &["p/b.png"]].concat()).remove(0)
    };
    let all = confidences(&asked(&[]));
    assert_eq!(confidences(&asked(&["--nms", "0.22"])), all);
    let left = confidences(&asked(&["--nms", "0.21"]));
    assert_eq!(left, [all[0], all[1], all[3], all[4]]);
    let stderr = folder.runs(&["--task", "region_proposal", "--nms", "0.21", "p/b.png"]);
    assert!(
        stderr.contains("--nms 0.21: 1 annotations left out"),
        "{stderr}"
    );
}

#[test]
fn labels_that_are_not_in_the_list_are_left_out() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.put(number, format!("p/{number}.png"));
    }
    let whole = answers(&folder, &["p"]);
    let all: Vec<&str> = whole.iter().flat_map(labels).collect();
    let wanted = "star";
    let others = all.iter().filter(|label| **label != wanted).count();
    assert!(others > 1 && others < all.len(), "{all:?}");
    folder.write("names.txt", "zebra\nstar\n");
    let classes = ["--classes", "names.txt"];
    let left = answers(&folder, &[&classes[..], &["p"]].concat());
    let left: Vec<&str> = left.iter().flat_map(labels).collect();
    assert_eq!(left, vec![wanted; all.len() - others]);
    let args = [&classes[..], &["--export", "voc=v", "p"]].concat();
    let stderr = folder.runs(&args);
    let note =
        format!("--classes names.txt: {others} annotations left out, whose labels are not in it");
    assert!(stderr.contains(&note), "{stderr}");
    let voc: String = folder
        .files("v")
        .iter()
        .map(|file| folder.text(file))
        .collect();
    assert_eq!(voc.matches("<object>").count(), all.len() - others);

    // What the answer does not name has the label of exports.
    folder.write("object.txt", "object\n");
    let asked = |task: &[&str]| objects(&answers(&folder, &[task, &["p/1.png"]].concat())[0]).len();
    let proposals = ["--task", "region_proposal", "--classes"];
    assert!(asked(&[&proposals[..], &["object.txt"]].concat()) > 0);
    assert_eq!(asked(&[&proposals[..], &["names.txt"]].concat()), 0);
    let segment = [
        "--task",
        "referring_segmentation",
        "--text",
        "star",
        "--classes",
    ];
    assert_eq!(asked(&[&segment[..], &["names.txt"]].concat()), 1);
    assert_eq!(asked(&[&segment[..], &["object.txt"]].concat()), 0);
}

#[test]
fn of_several_tasks_those_with_objects_are_filtered() {
    let folder = filled();
    let lines = answers(
        &folder,
        &[
            "--task",
            "caption",
            "--task",
            "od",
            "--task",
            "caption_and_ground",
            "--min-confidence",
            "0.99",
            "p/a.png",
        ],
    );
    assert!(
        !lines[0]["answer"]["value"]["text"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    assert!(objects(&lines[1]).is_empty());
    let grounded = &lines[2]["answer"]["value"];
    assert_eq!(
        grounded["caption"]["text"],
        lines[0]["answer"]["value"]["text"]
    );
    assert_eq!(grounded["phrases"], serde_json::json!([]));
    // The steps of a cascade are what the model said.
    let steps = lines[2]["steps"].as_array().unwrap();
    assert!(!steps[1]["value"]["value"].as_array().unwrap().is_empty());
}

#[test]
fn filters_that_cannot_be_meant_are_refused() {
    let folder = filled();
    for (flag, values) in [
        ("--nms", ["1.5", "-0.1", "nan", "half"]),
        ("--min-confidence", ["2", "-1", "inf", ""]),
    ] {
        for value in values {
            let given = format!("{flag}={value}");
            folder.refuses(&[&given, "p"], &[flag, "expected a number from 0 to 1"]);
        }
    }
    folder.write("names.txt", "star\n");
    for filter in [
        ["--nms", "0.5"],
        ["--min-confidence", "0.5"],
        ["--classes", "names.txt"],
    ] {
        folder.refuses(
            &[&["--task", "caption"][..], &filter, &["p"]].concat(),
            &[&format!("{}: <CAPTION> answers with text", filter[0])],
        );
    }
    folder.refuses(&["--classes", "none.txt", "p"], &["--classes none.txt"]);
}

#[test]
fn a_file_of_other_filters_is_not_gone_on_with() {
    let folder = filled();
    // What a killed run has left.
    folder.runs(&["--export", "coco=c.json", "p/a.png"]);
    folder.write("c.json.partial", "{\"task\":\"<OD>\"}\n");
    folder.refuses(
        &["--export", "coco=c.json", "--nms", "0.5", "p/a.png"],
        &["c.json.partial", "other options", "\"nms\":0.5"],
    );
}
