//! Filters on the answers of cascades.

use std::path::Path;

use florence_tasks::{
    AnyOutput, AnyTask, BBox, CascadeAnswer, CheckedCaption, Florence, Instance, QuadBox,
};

fn answer(task: &str, text: Option<&str>) -> (CascadeAnswer, AnyOutput) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene.png");
    let task: AnyTask = task.parse().unwrap();
    let task = task.with_input(text, None);
    let output = Florence::nano().unwrap();
    let output = output.run_any(&task, &image::open(path).unwrap()).unwrap();
    let AnyOutput::Cascade(_, cascaded) = &output else {
        panic!("{task} is no cascade")
    };
    (cascaded.value.clone(), output)
}

#[test]
fn objects_go_with_what_was_asked_about_them() {
    for task in ["detect_and_describe", "detect_and_segment"] {
        let (whole, mut output) = answer(task, None);
        let AnyOutput::Cascade(_, before) = output.clone() else {
            unreachable!()
        };
        output.retain(|found| found.label != "square");
        let AnyOutput::Cascade(_, after) = &output else {
            unreachable!()
        };
        assert_eq!(after.steps, before.steps, "what the model wrote stays");
        let labels: Vec<String> = output
            .annotations()
            .into_iter()
            .map(|found| found.label)
            .collect();
        assert_eq!(labels, ["star", "triangle"]);
        match (whole, &after.value) {
            (CascadeAnswer::Described(all), CascadeAnswer::Described(left)) => {
                assert_eq!(all[1..], left[..]);
            }
            (CascadeAnswer::Segmented(all), CascadeAnswer::Segmented(left)) => {
                assert_eq!(all[1..], left[..]);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_same_object_is_there_once() {
    for task in [
        "detect_and_describe",
        "detect_and_segment",
        "caption_and_ground",
    ] {
        let (once, _) = answer(task, None);
        let mut twice = once.clone();
        match &mut twice {
            CascadeAnswer::Described(things) => things.extend(things.clone()),
            CascadeAnswer::Segmented(things) => things.extend(things.clone()),
            CascadeAnswer::GroundedCaption(grounded) => {
                grounded.phrases.extend(grounded.phrases.clone());
            }
            other => panic!("{other:?}"),
        }
        assert_ne!(twice, once);
        twice.nms(0.5);
        assert_eq!(twice, once);
    }
}

#[test]
fn an_object_without_outlines_is_its_box() {
    let (mut answer, _) = answer("detect_and_segment", None);
    let CascadeAnswer::Segmented(things) = &mut answer else {
        unreachable!()
    };
    things[0].instances.clear();
    let bbox = things[0].detection.bbox;
    let mut boxes = Vec::new();
    answer.retain(|found| {
        boxes.extend(found.shape.to_bbox().filter(|found| *found == bbox));
        found.label == "square"
    });
    assert_eq!(boxes, [bbox]);
    assert_eq!(answer.annotations().len(), 1);
    // Of several outlines some may stay.
    let CascadeAnswer::Segmented(things) = &mut answer else {
        unreachable!()
    };
    let outline = Instance::new("", [QuadBox::from(BBox::default()).to_polygon()]);
    things[0].instances = vec![outline.clone(), outline];
    let mut calls = 0;
    answer.retain(|_| {
        calls += 1;
        calls == 2
    });
    assert_eq!((calls, answer.annotations().len()), (2, 1));
    answer.retain(|_| false);
    assert_eq!(answer, CascadeAnswer::Segmented(Vec::new()));
}

#[test]
fn a_checked_caption_keeps_what_it_says() {
    let text = "a brown star and a pink heart";
    let (whole, _) = answer("check_caption", Some(text));
    let CascadeAnswer::CheckedCaption(before) = &whole else {
        unreachable!()
    };
    assert_eq!((before.phrases.len(), before.warnings.len()), (2, 1));
    let mut left = whole.clone();
    // The score is the support, also of a phrase that has too little.
    left.retain(|found| found.score > Some(0.5));
    let CascadeAnswer::CheckedCaption(after) = &left else {
        unreachable!()
    };
    assert_eq!(after.warnings, before.warnings);
    let boxes = |checked: &CheckedCaption| -> Vec<usize> {
        checked
            .phrases
            .iter()
            .map(|phrase| phrase.regions.len())
            .collect()
    };
    assert_eq!((boxes(before), boxes(after)), (vec![1, 1], vec![1, 0]));
    assert_eq!(left.annotations(), whole.annotations());
}
