//! Captions are checked by what the model says when it is asked otherwise.

use std::path::Path;

use florence_tasks::{
    Caption, CaptionAndCheck, CaptionLength, CheckCaption, EncodedImage, Florence, Prompt,
    RegionToDescription, Task,
};
use serde_json::Value;

/// A scene with a small red square, a large brown star and a large blue triangle.
fn photo() -> EncodedImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene.png");
    let florence = Florence::nano().unwrap();
    florence.encode(&image::open(path).unwrap()).unwrap()
}

#[test]
fn what_is_there_is_supported_and_what_is_not_is_warned_of() {
    let photo = photo();
    let caption = "In a corner: a brown star beside a pink heart, and two blue triangles.";
    let checked = photo.cascade(CheckCaption::new(caption)).unwrap();
    assert_eq!(checked.value.caption.text, caption);
    let verdicts: Vec<_> = checked
        .value
        .phrases
        .iter()
        .map(|phrase| (phrase.phrase.as_str(), phrase.supported))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("a brown star", true),
            ("a pink heart", false),
            ("two blue triangles", true)
        ]
    );
    for phrase in &checked.value.phrases {
        assert_eq!(&caption[phrase.range.clone()], phrase.phrase);
        assert!(!phrase.regions.is_empty());
        assert_eq!(phrase.supported, phrase.support >= 0.3);
    }
    let heart = &checked.value.phrases[1];
    let region = heart.regions[0].bbox.ordered().clamp(photo.size());
    let there = photo.run(RegionToDescription(region)).unwrap().value.text;
    assert_eq!(
        heart.evidence.as_ref().unwrap().task,
        Task::RegionToDescription
    );
    assert_eq!(heart.evidence.as_ref().unwrap().text, there);
    assert_eq!(
        checked.value.warnings,
        [format!(
            "\"a pink heart\" is not supported by the image: the model describes that region as {there:?}"
        )]
    );
}

/// Things of held-out scenes by their true colours, and by colours that no thing of their shape has.
#[test]
fn wrong_colours_are_told_from_right_ones() {
    let eval = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/florence-nano/eval");
    let scenes = std::fs::read(eval.join("scenes.json")).unwrap();
    let scenes: Value = serde_json::from_slice(&scenes).unwrap();
    let florence = Florence::nano().unwrap();
    let colors = ["red", "green", "blue", "pink", "brown", "cyan"];
    let (mut phrases, mut mistakes) = (0, Vec::new());
    for scene in scenes["scenes"].as_array().unwrap().iter().take(20) {
        let objects = scene["objects"].as_array().unwrap();
        let file = scene["file"].as_str().unwrap();
        let photo = florence
            .encode(&image::open(eval.join(file)).unwrap())
            .unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let named: Vec<(String, String)> = objects
            .iter()
            .map(|object| (text(&object["color"]), text(&object["shape"])))
            .collect();
        for (color, shape) in &named {
            let is_free = |color: &&&str| !named.contains(&((**color).to_string(), shape.clone()));
            let other = colors.iter().find(is_free).unwrap();
            let caption =
                format!("In the picture are the {color} {shape} and the {other} {shape}.");
            let checked = photo.cascade(CheckCaption::new(&caption)).unwrap();
            let verdicts: Vec<bool> = checked
                .value
                .phrases
                .iter()
                .map(|one| one.supported)
                .collect();
            phrases += verdicts.len();
            if verdicts != [true, false] {
                mistakes.push((file, caption, verdicts));
            }
        }
    }
    assert!(phrases >= 60, "{phrases}");
    assert!(mistakes.len() <= 1, "{mistakes:?}");
}

#[test]
fn a_caption_is_no_witness_for_itself() {
    let photo = photo();
    for length in [
        CaptionLength::Sentence,
        CaptionLength::Detailed,
        CaptionLength::Paragraph,
    ] {
        let checked = photo.caption_checked(length).unwrap();
        let caption = photo.run(length.task()).unwrap();
        assert_eq!(
            Some(checked.value.caption.text.as_str()),
            caption.value.text()
        );
        let marker = length.task().as_str();
        let asked = checked.steps.iter().filter(|step| step.task == marker);
        assert_eq!(asked.count(), 1, "{length:?}");
        assert!(
            checked.value.warnings.is_empty(),
            "{:?}",
            checked.value.warnings
        );
        assert!(checked.value.phrases.len() >= 3);
    }
}

#[test]
fn the_threshold_is_the_callers() {
    let photo = photo();
    let strict = CheckCaption::new("a brown star").min_support(1.1);
    let checked = photo.cascade(strict).unwrap();
    assert!(!checked.value.phrases[0].supported);
    assert_eq!(checked.value.warnings.len(), 1);
    let lenient = CaptionAndCheck::new(CaptionLength::Sentence).min_support(0.0);
    assert!(photo.cascade(lenient).unwrap().value.warnings.is_empty());
}

#[test]
fn a_caption_without_things_asks_nothing() {
    for caption in ["", "   ", "The image shows the background.", "…"] {
        let checked = photo().cascade(CheckCaption::new(caption)).unwrap();
        assert!(checked.value.phrases.is_empty() && checked.value.warnings.is_empty());
        assert!(checked.steps.is_empty());
    }
}

#[test]
fn any_caption_is_checked_or_refused_by_name() {
    let photo = photo();
    for caption in [
        "a </s> dog <loc_5><loc_6><loc_7><loc_8>",
        "a\u{301} Größe, 日本語 and a star",
        "star star star star star star",
        "\0\u{7f}x",
    ] {
        let checked = photo.cascade(CheckCaption::new(caption)).unwrap();
        for phrase in &checked.value.phrases {
            assert!((0.0..=1.0).contains(&phrase.support), "{phrase:?}");
        }
    }
    let long = "a star, ".repeat(600);
    let error = photo.cascade(CheckCaption::new(&long)).unwrap_err();
    assert!(error.to_string().contains("prompts"), "{error}");
}

#[test]
fn scores_are_those_of_the_search() {
    let photo = photo();
    for task in [Task::Caption, Task::DetailedCaption, Task::Od, Task::Ocr] {
        let answer = photo.run(task).unwrap();
        let said = answer.raw_text.trim_start_matches("</s><s>");
        let said = said.trim_end_matches("</s>");
        let score = photo.score(task, [Prompt::new().markup(said)]).unwrap();
        assert_eq!(score[0].token_ids, answer.token_ids, "{task}");
        // The first token is forced, and counts nothing in a search.
        let forced = 1;
        let both = score[0].logprobs.iter().zip(&answer.logprobs);
        for (alone, searched) in both.skip(forced) {
            assert!(
                (alone - searched).abs() < 2e-4,
                "{task}: {alone} {searched}"
            );
        }
    }
}

#[test]
fn scores_know_which_words_are_meant() {
    let photo = photo();
    let answers = ["a brown star", "a brown star and more", ""];
    let scores = photo.score(Caption, answers).unwrap();
    assert_eq!(scores[0].logprobs[..4], scores[1].logprobs[..4]);
    assert_eq!(scores[0].ranges, [0..0, 0..1, 1..7, 7..12, 12..12]);
    assert_eq!(scores[0].logprob_of(2..7), scores[0].logprobs[2]);
    assert_eq!(scores[2].ranges, [0..0, 0..0]);
    assert!(photo.score(Caption, Vec::<&str>::new()).unwrap().is_empty());

    let error = photo.score(Caption, ["star ".repeat(2000)]).unwrap_err();
    assert!(error.to_string().contains("decoder_ids"), "{error}");
}
