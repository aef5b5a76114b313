//! Cascades give what their questions give one by one, and ask no more than that.

use std::path::Path;

use florence_tasks::{
    Answer, Caption, CaptionAndGround, CaptionLength, Cascade, DetectAndDescribe, DetectAndSegment,
    EncodedImage, Error, Florence, GenerationConfig, Od, PhraseGrounding, RegionToDescription,
    RegionToSegmentation, Result, Steps, Task, Text,
};
use image::DynamicImage;

fn photo() -> EncodedImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene.png");
    let florence = Florence::nano().unwrap();
    florence.encode(&image::open(path).unwrap()).unwrap()
}

#[test]
fn captions_are_grounded_at_all_three_lengths() {
    let photo = photo();
    for length in [
        CaptionLength::Sentence,
        CaptionLength::Detailed,
        CaptionLength::Paragraph,
    ] {
        let grounded = photo.cascade(CaptionAndGround(length)).unwrap();
        let caption = photo.run(length.task()).unwrap();
        assert_eq!(Some(grounded.caption.text.as_str()), caption.text());
        assert!(!grounded.caption.text.is_empty());
        let phrases = photo.run(PhraseGrounding(&grounded.caption.text)).unwrap();
        assert_eq!(grounded.phrases, phrases.value);
        assert!(!grounded.phrases.is_empty(), "{length:?}");
        let tasks: Vec<&str> = grounded.steps.iter().map(|s| s.task.as_str()).collect();
        assert_eq!(
            tasks,
            [length.task().marker(), Task::PhraseGrounding.marker()]
        );
    }
}

#[test]
fn every_object_is_described_and_outlined_as_if_alone() {
    let photo = photo();
    let objects = photo.run(Od).unwrap().value;
    assert!(!objects.is_empty());

    let described = photo.cascade(DetectAndDescribe).unwrap();
    assert_eq!(described.len(), objects.len());
    for (thing, object) in described.iter().zip(&objects) {
        assert_eq!(&thing.detection, object);
        let region = object.bbox.ordered().clamp(photo.size());
        let alone = photo.run(RegionToDescription(region)).unwrap();
        assert_eq!(thing.description.text, alone.text);
    }

    let segmented = photo.cascade(DetectAndSegment).unwrap();
    assert_eq!(segmented.len(), objects.len());
    for (thing, object) in segmented.iter().zip(&objects) {
        let region = object.bbox.ordered().clamp(photo.size());
        let alone = photo.run(RegionToSegmentation(region)).unwrap();
        let outlines = |instances: &[florence_tasks::Instance]| -> Vec<_> {
            let polygons = instances.iter().flat_map(|i| i.polygons());
            polygons.cloned().collect()
        };
        assert_eq!(outlines(&thing.instances), outlines(&alone.value));
        assert!(!thing.instances.is_empty());
    }
}

#[test]
fn an_image_without_objects_is_an_empty_answer() {
    let florence = Florence::nano().unwrap();
    let greedy = GenerationConfig {
        num_beams: 1,
        max_new_tokens: 1,
        ..florence.generation().clone()
    };
    let image = DynamicImage::new_rgb8(40, 30);
    let described = florence.cascade_with(DetectAndDescribe, &image, &greedy);
    assert!(described.unwrap().is_empty());
    // With one token, which is the end, captions are empty: nothing is left to ground.
    let grounded = florence
        .cascade_with(CaptionAndGround::default(), &image, &greedy)
        .unwrap();
    assert_eq!(
        (grounded.caption.text.as_str(), grounded.phrases.len()),
        ("", 0)
    );
    assert_eq!(grounded.steps.len(), 1);
}

/// Asks about a text that is not there.
struct Wrong;

impl Cascade for Wrong {
    type Output = (Text, Vec<florence_tasks::GroundedPhrase>);

    fn run(&self, steps: &mut Steps<'_>) -> Result<Self::Output> {
        Ok((steps.ask(Caption)?, steps.ask(PhraseGrounding(" "))?))
    }
}

#[test]
fn the_error_of_a_question_is_the_error_of_the_cascade() {
    let error = photo().cascade(Wrong).unwrap_err();
    assert!(matches!(
        error,
        Error::MissingText {
            task: Task::PhraseGrounding
        }
    ));
}

#[test]
fn answers_are_kept_with_their_diagnostics_and_timings() {
    let described = photo().cascade(DetectAndDescribe).unwrap();
    assert!(matches!(described.steps[0].value, Answer::Boxes(_)));
    assert!(
        described
            .steps
            .iter()
            .all(|step| !step.token_ids.is_empty())
    );
    let json = serde_json::to_value(&described).unwrap();
    assert_eq!(
        json["steps"].as_array().unwrap().len(),
        1 + described.value.len()
    );
    assert!(json["value"][0]["description"]["text"].is_string());
}
