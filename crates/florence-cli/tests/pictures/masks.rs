//! `--export masks=DIR`.

use serde_json::Value;

use super::folder::Folder;
use super::{answers, objects, picture};

/// Corners of an outline.
type Ring = Vec<(f64, f64)>;

fn numbers(object: &Value) -> Vec<(f64, f64)> {
    let points = object["points"].as_array().unwrap().iter();
    let number = |value: &Value| value.as_f64().unwrap();
    points
        .map(|point| (number(&point["x"]), number(&point["y"])))
        .collect()
}

fn corners(bbox: &Value) -> Ring {
    let [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map(|edge| bbox[edge].as_f64().unwrap());
    vec![(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
}

/// Whether a point is inside, by the number of edges on its left.
fn is_inside(ring: &Ring, (x, y): (f64, f64)) -> bool {
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    let left = edges.filter(|((ax, ay), (bx, by))| {
        let crosses = (*ay > y) != (*by > y);
        crosses && x >= ax + (bx - ax) * (y - ay) / (by - ay)
    });
    left.count() % 2 == 1
}

/// Compares a mask with the outlines of its objects, at the center of every pixel.
fn is_mask_of(folder: &Folder, name: &str, rings: &[Ring], size: (u32, u32)) {
    let mask = picture(folder, name);
    assert_eq!(mask.color(), image::ColorType::L8, "{name}");
    let mask = mask.into_luma8();
    assert_eq!(mask.dimensions(), size, "{name}");
    let mut inside = 0;
    for (x, y, value) in mask.enumerate_pixels() {
        let center = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let is_in = rings.iter().any(|ring| is_inside(ring, center));
        assert_eq!(value.0, [if is_in { 255 } else { 0 }], "{name} at {x},{y}");
        inside += usize::from(is_in);
    }
    assert!(inside > 100 || rings.is_empty(), "{name}");
}

fn size(line: &Value) -> (u32, u32) {
    let side = |key: &str| line[key].as_u64().unwrap() as u32;
    (side("width"), side("height"))
}

#[test]
fn polygons_boxes_and_quads_are_filled() {
    let folder = Folder::new();
    folder.put(69, "p/a.png");
    folder.put(1, "p/sub/b.png");
    let outlines = |object: &Value, key: &str| -> Vec<Ring> {
        let outlines = object[key].as_array().unwrap().iter();
        outlines
            .map(|outline| numbers(&outline["polygon"]))
            .collect()
    };
    for (task, input) in [
        ("od", &[][..]),
        ("region_proposal", &[]),
        ("phrase_grounding", &["--text", "a cross"]),
        ("ocr_with_region", &[]),
        ("referring_segmentation", &["--text", "a cross"]),
        ("region_to_segmentation", &["--region", "20,20,200,200"]),
        ("detect_and_segment", &[]),
    ] {
        let out = format!("masks-{task}");
        let target = format!("masks={out}");
        let asked = [&["--task", task][..], input, &["--export", &target, "p"]].concat();
        let mut files = Vec::new();
        for line in answers(&folder, &asked) {
            let mut rings: Vec<(String, Vec<Ring>)> = Vec::new();
            for object in objects(&line) {
                let text = |key: &str| object[key].as_str().unwrap().to_owned();
                let unnamed = input.get(1).filter(|_| input[0] == "--text");
                let unnamed = unnamed.map_or("object", |text| text).to_owned();
                match task {
                    "od" => rings.push((text("label"), vec![corners(&object["bbox"])])),
                    "region_proposal" => rings.push((unnamed, vec![corners(&object["bbox"])])),
                    "phrase_grounding" => {
                        for region in object["regions"].as_array().unwrap() {
                            rings.push((text("phrase"), vec![corners(&region["bbox"])]));
                        }
                    }
                    "ocr_with_region" => rings.push((text("text"), vec![numbers(&object["quad"])])),
                    "detect_and_segment" => {
                        let label = object["detection"]["label"].as_str().unwrap();
                        for instance in object["instances"].as_array().unwrap() {
                            rings.push((label.to_owned(), outlines(instance, "outlines")));
                        }
                    }
                    _ => rings.push((unnamed, outlines(object, "outlines"))),
                }
            }
            let stem = line["image"].as_str().unwrap();
            let stem = stem.trim_start_matches("p/").trim_end_matches(".png");
            for (number, (label, rings)) in rings.iter().enumerate() {
                let label = label.replace(' ', "-");
                let name = format!("{out}/{stem}.mask-{:03}-{label}.png", number + 1);
                is_mask_of(&folder, &name, rings, size(&line));
                files.push(name);
            }
            let all: Vec<Ring> = rings.into_iter().flat_map(|(_, rings)| rings).collect();
            let union = format!("{out}/{stem}.mask.png");
            is_mask_of(&folder, &union, &all, size(&line));
            files.push(union);
        }
        files.sort();
        assert_eq!(folder.files(&out), files, "{task}");
        assert!(files.len() >= 3, "{task}: {files:?}");
    }
}

#[test]
fn masks_are_replaced_as_a_whole() {
    let folder = Folder::new();
    folder.put(69, "a.png");
    folder.put(1, "a.mask-002-x.png");
    let masks = ["--export", "masks=m"];
    folder.runs(&[&masks[..], &["a.png", "a.mask-002-x.png"]].concat());
    let all = folder.files("m");
    let objects = |files: &[String]| {
        files
            .iter()
            .filter(|file| file.starts_with("m/a.mask-0"))
            .count()
    };
    assert_eq!(objects(&all), 6, "{all:?}");
    // What else lies there stays.
    for other in [
        "m/a.mask-1-old.png",
        "m/a.mask-001.txt",
        "m/a.png",
        "m/ab.mask-001.png",
    ] {
        folder.write(other, "other");
    }
    folder.write("m/a.mask-017-old.png", "");
    let stderr = folder.runs(&[&masks[..], &["--min-confidence", "0.9", "a.png"]].concat());
    assert!(
        stderr.contains("--export m: existing files replaced: 1"),
        "{stderr}"
    );
    assert!(
        stderr.contains("--min-confidence 0.9: 4 annotations left out"),
        "{stderr}"
    );
    assert_eq!(
        folder.files("m"),
        [
            "m/a.mask-001.txt",
            "m/a.mask-002-x.mask-001-pentagon.png",
            "m/a.mask-002-x.mask.png",
            "m/a.mask-1-old.png",
            "m/a.mask.png",
            "m/a.png",
            "m/ab.mask-001.png",
        ]
    );
    // Nothing found is a mask too.
    let union = picture(&folder, "m/a.mask.png").into_luma8();
    assert!(union.pixels().all(|pixel| pixel.0 == [0]));
}

#[test]
fn labels_do_not_lead_out_of_the_folder() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    let text = "../../the pentagon";
    folder.runs(&[
        "--task",
        "referring_segmentation",
        "--text",
        text,
        "--export",
        "masks=x/m",
        "a.png",
    ]);
    assert_eq!(
        folder.files("."),
        ["a.png", "x/m/a.mask-001-the-pentagon.png", "x/m/a.mask.png"]
    );
}

#[test]
fn masks_that_would_be_in_the_way_are_refused() {
    let folder = Folder::new();
    folder.put(1, "a.png");
    folder.put(2, "x/a.mask-001-star.png");
    for (args, words) in [
        (
            &["--export", "masks=m", "--export", "masks=m/sub", "a.png"][..],
            &["two exports would write the same files", "masks=m"][..],
        ),
        (
            &["--export", "masks=x", "a.png", "x/a.mask-001-star.png"],
            &["--export x: this would overwrite one of the images"],
        ),
        (
            &[
                "--export",
                "yolo=set",
                "--dataset",
                "copy",
                "--export",
                "masks=set/images",
                "a.png",
            ],
            &[
                "two exports would write the same files",
                "--export set/images",
            ],
        ),
        (
            &["--task", "caption", "--export", "masks=m", "a.png"],
            &["--export m: <CAPTION> answers with text"],
        ),
    ] {
        folder.refuses(args, words);
    }
    // Beside annotations and pictures they may lie.
    folder.runs(&[
        "--export",
        "masks=out",
        "--export",
        "labelme=out",
        "--export",
        "yolo=out",
        "--annotate",
        "out",
        "a.png",
    ]);
    assert!(folder.files("out").contains(&"out/a.mask.png".to_owned()));
}
