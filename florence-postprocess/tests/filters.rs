//! Filters on answers: objects of every form, by score, label and overlap.

use florence_postprocess::{
    Annotation, Answer, AnswerForm, BBox, Detection, Found, GroundedPhrase, Instance, Point,
    Polygon, QuadBox, Region, Shape, Size, Text, TextRegion, parse_text,
};

fn square(x: f32, side: f32) -> BBox {
    BBox::new(x, 0.0, x + side, side)
}

fn detection(label: &str, x: f32, score: Option<f32>) -> Detection {
    Detection::new(label, square(x, 10.0)).with_confidence(score)
}

fn instance(label: &str, x: f32, score: f32) -> Instance {
    let polygon = QuadBox::from(square(x, 10.0)).to_polygon();
    Instance::new(label, [polygon]).with_confidence(score)
}

/// The label, left edge and score of each object.
fn objects(answer: &Answer) -> Vec<(String, f32, Option<f32>)> {
    let found = Annotation::from_answer(answer);
    let object = |found: &Annotation| {
        let left = found.shape.to_bbox().unwrap().x1;
        (found.label.clone(), left, found.score)
    };
    found.iter().map(object).collect()
}

/// An answer of each form with objects at 0, 1 and 50 of the scores 0.4, 0.7 and 0.2.
fn answers() -> Vec<Answer> {
    let all = [(0.0, 0.4), (1.0, 0.7), (50.0, 0.2)];
    let boxes = all.map(|(x, score)| detection("a", x, Some(score)));
    let regions = all.map(|(x, score)| Region::new(square(x, 10.0)).with_confidence(score));
    let phrases = [
        GroundedPhrase::new("a", regions[..2].to_vec()),
        GroundedPhrase::new("a", regions[2..].to_vec()),
    ];
    let lines = all.map(|(x, score)| {
        TextRegion::new("a", QuadBox::from(square(x, 10.0))).with_confidence(score)
    });
    let instances = all.map(|(x, score)| instance("a", x, score));
    vec![
        Answer::Boxes(boxes.to_vec()),
        Answer::Proposals(regions.to_vec()),
        Answer::Phrases(phrases.to_vec()),
        Answer::Quads(lines.to_vec()),
        Answer::Polygons(instances.to_vec()),
        Answer::BoxesOrPolygons(Found::new(boxes[..1].to_vec(), instances[1..].to_vec())),
    ]
}

#[test]
fn objects_of_every_form_are_kept_by_their_score() {
    for mut answer in answers() {
        answer.retain(|found| found.score.unwrap() >= 0.4);
        let scores: Vec<_> = objects(&answer).iter().map(|found| found.2).collect();
        assert_eq!(scores, [Some(0.4), Some(0.7)], "{answer:?}");
        // A phrase goes with its last box.
        assert!(answer.phrases().len() <= 1, "{answer:?}");
    }
}

#[test]
fn the_better_of_two_objects_stays_in_the_order_of_the_answer() {
    for mut answer in answers() {
        answer.nms(0.5);
        let left: Vec<_> = objects(&answer).iter().map(|found| found.1).collect();
        assert_eq!(left, [1.0, 50.0], "{answer:?}");
    }
}

#[test]
fn labels_and_thresholds_decide_what_overlaps() {
    let boxes = |all: &[(&str, f32, Option<f32>)]| {
        let all = all
            .iter()
            .map(|(label, x, score)| detection(label, *x, *score));
        Answer::Boxes(all.collect())
    };
    // Squares of 10 that are 1 apart: 9 of 11.
    let pair = [("a", 0.0, Some(0.4)), ("a", 1.0, Some(0.7))];
    for (threshold, left) in [(0.0, 1), (0.81, 1), (9.0 / 11.0, 2), (1.0, 2)] {
        let mut answer = boxes(&pair);
        answer.nms(threshold);
        assert_eq!(answer.detections().len(), left, "{threshold}");
    }
    let mut answer = boxes(&[("a", 0.0, Some(0.4)), ("b", 0.0, Some(0.7))]);
    answer.nms(0.0);
    assert_eq!(answer.detections().len(), 2, "different labels");
    // Without a score an object is certain, and the first of equals is the better one.
    let mut answer = boxes(&[("a", 0.0, Some(0.9)), ("a", 1.0, None), ("a", 2.0, None)]);
    answer.nms(0.5);
    assert_eq!(objects(&answer), [("a".to_owned(), 1.0, None)]);
}

#[test]
fn what_has_no_objects_stays() {
    let text = Answer::Text(Text::new("a car"));
    let mut same = text.clone();
    same.retain(|_| false);
    same.nms(0.0);
    assert_eq!(same, text);
    // A phrase of which the model gave no box.
    let mut phrases = Answer::Phrases(vec![GroundedPhrase::new("a cat", Vec::new())]);
    phrases.retain(|_| false);
    assert_eq!(phrases.phrases().len(), 1);
}

#[test]
fn calls_come_in_the_order_of_annotations() {
    let parsed = parse_text(
        AnswerForm::BoxesOrPolygons,
        "</s><s>arms<poly><loc_0><loc_0><loc_9><loc_0><loc_9><loc_9></poly>head<loc_1><loc_2><loc_3><loc_4></s>",
        Size::new(640, 480),
    );
    for answer in answers().iter().chain([&parsed.answer]) {
        let mut seen = Vec::new();
        answer.clone().retain(|found| {
            seen.push(found.clone());
            true
        });
        assert_eq!(seen, Annotation::from_answer(answer));
    }
}

#[test]
fn shapes_of_different_kinds_overlap() {
    let bbox = square(0.0, 10.0);
    let triangle = Polygon {
        points: [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)]
            .map(|(x, y)| Point::new(x, y))
            .to_vec(),
    };
    let quad = QuadBox::from(square(5.0, 10.0));
    let bbox = Shape::from(bbox);
    assert_eq!(bbox.iou(&triangle.into()), 0.5);
    assert_eq!(bbox.iou(&quad.into()), 1.0 / 3.0);
    assert_eq!(Shape::from(quad).iou(&bbox), 1.0 / 3.0);
    // Two parts that overlap count once.
    let parts = Shape::from(vec![quad.to_polygon(), quad.to_polygon()]);
    assert_eq!(parts.iou(&quad.into()), 1.0);
    assert_eq!(Shape::Polygons(Vec::new()).iou(&bbox), 0.0);
}
