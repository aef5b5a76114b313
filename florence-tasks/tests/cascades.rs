//! Cascades give what their questions give one by one, and ask no more than that.

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use florence_tasks::{
    Answer, BBox, Caption, CaptionAndGround, CaptionLength, Cascade, CascadeAnswer, CascadeName,
    CheckCaption, DetectAndDescribe, DetectAndSegment, EncodedImage, Error, ErrorKind, Florence,
    GenerationConfig, InputKind, Od, PhraseGrounding, RegionToDescription, RegionToSegmentation,
    RequestError, Result, Shape, Steps, Task, Text,
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
        assert_eq!(
            Some(grounded.value.caption.text.as_str()),
            caption.value.text()
        );
        assert!(!grounded.value.caption.text.is_empty());
        let phrases = photo
            .run(PhraseGrounding(&grounded.value.caption.text))
            .unwrap();
        assert_eq!(grounded.value.phrases, phrases.value);
        assert!(!grounded.value.phrases.is_empty(), "{length:?}");
        let tasks: Vec<&str> = grounded.steps.iter().map(|s| s.task.as_str()).collect();
        assert_eq!(
            tasks,
            [length.task().as_str(), Task::PhraseGrounding.as_str()]
        );
    }
}

#[test]
fn every_object_is_described_and_outlined_as_if_alone() {
    let photo = photo();
    let objects = photo.run(Od).unwrap().value;
    assert!(!objects.is_empty());

    let described = photo.cascade(DetectAndDescribe).unwrap();
    assert_eq!(described.value.len(), objects.len());
    for (thing, object) in described.value.iter().zip(&objects) {
        assert_eq!(&thing.detection, object);
        let region = object.bbox.ordered().clamp(photo.size());
        let alone = photo.run(RegionToDescription(region)).unwrap();
        assert_eq!(thing.description.text, alone.value.text);
    }

    let segmented = photo.cascade(DetectAndSegment).unwrap();
    assert_eq!(segmented.value.len(), objects.len());
    for (thing, object) in segmented.value.iter().zip(&objects) {
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
fn by_its_name_a_cascade_gives_the_same() {
    let photo = photo();
    let ask = |name: CascadeName| {
        let text = (name.input() == InputKind::Text).then_some("a brown star and a pink heart");
        photo
            .cascade(name.request().with_input(text, None))
            .unwrap()
    };
    for name in CascadeName::ALL.iter().copied() {
        let given = name.to_string().to_uppercase().replace('_', "-");
        assert_eq!(given.parse::<CascadeName>().unwrap(), name);
        assert!(name.name().parse::<Task>().is_err(), "{name} is a task too");
        let wanted = match name {
            CascadeName::CaptionAndGround(length) => CascadeAnswer::GroundedCaption(
                photo.cascade(CaptionAndGround(length)).unwrap().value,
            ),
            CascadeName::CaptionAndCheck(length) => {
                CascadeAnswer::CheckedCaption(photo.caption_checked(length).unwrap().value)
            }
            CascadeName::CheckCaption => {
                let check = CheckCaption::new("a brown star and a pink heart");
                CascadeAnswer::CheckedCaption(photo.cascade(check).unwrap().value)
            }
            CascadeName::DetectAndDescribe => {
                CascadeAnswer::Described(photo.cascade(DetectAndDescribe).unwrap().value)
            }
            CascadeName::DetectAndSegment => {
                CascadeAnswer::Segmented(photo.cascade(DetectAndSegment).unwrap().value)
            }
            other => unreachable!("{other} is not tested"),
        };
        assert_eq!(ask(name).value, wanted);
    }
}

#[test]
fn a_cascade_refuses_what_it_does_not_take() {
    let photo = photo();
    let region = Some(BBox::new(0.0, 0.0, 9.0, 9.0));
    for name in CascadeName::ALL.iter().copied() {
        let is_about_text = name.input() == InputKind::Text;
        for (text, region) in [
            (None, None),
            (Some("a star"), None),
            (None, region),
            (Some("a star"), region),
            (Some(" "), None),
        ] {
            let request = name.request().with_input(text, region);
            let fits = region.is_none()
                && text.is_some_and(|text| text != " ") == is_about_text
                && (is_about_text || text.is_none());
            assert_eq!(request.check().is_ok(), fits, "{request:?}");
            if !fits {
                let error = photo.cascade(&request).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Argument);
                assert!(error.to_string().starts_with(name.name()), "{error}");
            }
        }
    }
    let error = "describe".parse::<CascadeName>().unwrap_err().to_string();
    assert!(error.contains("detect_and_describe"), "{error}");
}

#[test]
fn what_is_exported_has_the_names_of_the_objects() {
    let photo = photo();
    let objects = photo.run(Od).unwrap();
    let labels: Vec<&str> = objects
        .value
        .iter()
        .map(|object| object.label.as_str())
        .collect();
    let described = photo
        .cascade(CascadeName::DetectAndDescribe.request())
        .unwrap();
    let annotations = described.value.annotations();
    let exported: Vec<&str> = annotations.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(exported, labels);
    let segmented = photo
        .cascade(CascadeName::DetectAndSegment.request())
        .unwrap();
    let annotations = segmented.value.annotations();
    assert!(annotations.len() >= labels.len());
    for annotation in &annotations {
        assert!(labels.contains(&annotation.label.as_str()));
        assert!(matches!(annotation.shape, Shape::Polygons(_)));
    }
    let mut bare = segmented.value;
    if let CascadeAnswer::Segmented(things) = &mut bare {
        things.iter_mut().for_each(|thing| thing.instances.clear());
    }
    let boxes: Vec<Shape> = bare
        .annotations()
        .into_iter()
        .map(|one| one.shape)
        .collect();
    let wanted: Vec<Shape> = objects
        .value
        .iter()
        .map(|object| object.bbox.into())
        .collect();
    assert_eq!(boxes, wanted, "an object without an outline has its box");
    let grounded = photo.cascade(CascadeName::CaptionAndGround(CaptionLength::Sentence).request());
    assert!(!grounded.unwrap().value.annotations().is_empty());
}

/// Answers that came together share their time; a cascade counts it once.
#[test]
fn the_time_of_a_cascade_is_no_more_than_it_took() {
    let photo = photo();
    let start = Instant::now();
    let described = photo.cascade(DetectAndDescribe).unwrap();
    let took = start.elapsed();
    let timings = described.timings;
    assert!(
        timings.encoder + timings.decode <= took,
        "{timings:?} of {took:?}"
    );
    assert_eq!(timings.vision, described.steps[0].timings.vision);
    let together = described.steps[1].timings.decode;
    assert_eq!(timings.decode, described.steps[0].timings.decode + together);
}

#[test]
fn an_image_without_objects_is_an_empty_answer() {
    let florence = Florence::nano().unwrap();
    let greedy = florence.generation().clone().num_beams(1).max_new_tokens(1);
    let image = DynamicImage::new_rgb8(40, 30);
    let described = florence.cascade_with(DetectAndDescribe, &image, &greedy);
    assert!(described.unwrap().value.is_empty());
    // With one token, which is the end, captions are empty: nothing is left to ground.
    let grounded = florence
        .cascade_with(CaptionAndGround::default(), &image, &greedy)
        .unwrap();
    assert_eq!(
        (
            grounded.value.caption.text.as_str(),
            grounded.value.phrases.len()
        ),
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
        Error::Request(RequestError::MissingText {
            task: Task::PhraseGrounding
        })
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

#[test]
fn a_cascade_ends_where_it_is_not_wanted_any_more() {
    let photo = photo();
    let options = photo_options();
    for name in CascadeName::ALL.iter().copied() {
        let text = (name.input() == InputKind::Text).then_some("a brown star and a pink heart");
        let request = name.request().with_input(text, None);
        let wanted = |steps: usize| {
            let asked = Cell::new(0);
            let go_on = || asked.replace(asked.get() + 1) < steps;
            (photo.cascade_while(&request, &options, &go_on), asked)
        };
        let (whole, steps) = wanted(usize::MAX);
        assert_eq!(
            whole.unwrap().value,
            photo.cascade_with(&request, &options).unwrap().value
        );
        assert!(steps.get() >= 2, "{name}: {} steps", steps.get());
        for some in 0..steps.get() {
            let (cut, asked) = wanted(some);
            assert!(matches!(cut, Err(Error::Cancelled)), "{name}: {some}");
            assert_eq!(asked.get(), some + 1, "{name}: none is begun after it");
        }
        assert!(wanted(steps.get()).0.is_ok(), "{name}");
    }
}

fn photo_options() -> GenerationConfig {
    GenerationConfig::new().num_beams(1)
}
