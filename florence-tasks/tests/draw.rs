//! Answers of cascades on pictures.

use florence_tasks::draw::{Mark, Marks};
use florence_tasks::{
    CaptionAndGround, CheckCaption, DetectAndDescribe, DetectAndSegment, Florence, Shape,
};

#[test]
fn cascades_can_be_drawn() {
    let scene = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scene.png");
    let scene = image::open(scene).unwrap();
    let photo = Florence::nano().unwrap().encode(&scene).unwrap();

    let described = photo.cascade(DetectAndDescribe).unwrap().value;
    let labels =
        |marks: Vec<Mark>| -> Vec<String> { marks.into_iter().map(|mark| mark.label).collect() };
    let texts: Vec<String> = described
        .iter()
        .map(|d| d.description.text.clone())
        .collect();
    assert_eq!(labels(described.marks()), texts);

    let segmented = photo.cascade(DetectAndSegment).unwrap().value;
    let marks = segmented.marks();
    assert!(
        marks
            .iter()
            .all(|mark| matches!(mark.shape, Shape::Polygons(_)))
    );
    assert_eq!(marks[0].label, segmented[0].detection.label);
    let mut bare = segmented[0].clone();
    bare.instances.clear();
    assert_eq!(bare.marks(), bare.detection.marks());

    let caption = CheckCaption::new("a brown star and a pink heart");
    let checked = photo.cascade(caption).unwrap().value;
    assert_eq!(labels(checked.marks()), ["a brown star", "a pink heart?"]);
    assert_eq!(
        checked.marks()[1].confidence,
        Some(checked.phrases[1].support)
    );

    let grounded = photo.cascade(CaptionAndGround::default()).unwrap().value;
    assert_eq!(grounded.marks(), grounded.phrases.marks());
}
