//! What is noted about an answer in the light of its question.

use std::path::Path;
use std::sync::Arc;

use florence_tasks::florence_core::{LogitsProcessor, Segment};
use florence_tasks::{
    AnswerForm, BBox, Caption, Custom, DiagnosticKind, EncodedImage, Florence, GenerationConfig,
    Output, PhraseGrounding, Prompt, RegionToCategory, Size, Task,
};

fn photo() -> (Florence, EncodedImage) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene.png");
    let florence = Florence::nano().unwrap();
    let photo = florence.encode(&image::open(path).unwrap()).unwrap();
    (florence, photo)
}

/// Has the model write these tokens, whatever it sees.
#[derive(Debug)]
struct Dictated(Vec<u32>);

impl LogitsProcessor for Dictated {
    fn process(&self, token_ids: &[u32], scores: &mut [f32]) {
        scores.fill(f32::NEG_INFINITY);
        let next = self.0.get(token_ids.len() - 1).or(self.0.last());
        scores[*next.unwrap() as usize] = 0.0;
    }
}

/// The options under which the model writes an answer of text and locations.
fn dictated(florence: &Florence, parts: &[Segment<'_>]) -> GenerationConfig {
    let ids = florence.tokenizer().encode_segments(parts).unwrap();
    florence
        .generation()
        .clone()
        .num_beams(1)
        .logits_processor(Arc::new(Dictated(ids)))
}

fn kinds<T>(output: &Output<T>) -> Vec<DiagnosticKind> {
    output
        .diagnostics
        .iter()
        .map(|odd| odd.kind.clone())
        .collect()
}

const BOX: [Segment<'_>; 4] = [
    Segment::Special("<loc_1>"),
    Segment::Special("<loc_2>"),
    Segment::Special("<loc_30>"),
    Segment::Special("<loc_40>"),
];

#[test]
fn a_phrase_that_the_caption_does_not_hold_is_noted() {
    let (florence, photo) = photo();
    let parts: Vec<Segment<'_>> = [
        &[Segment::Text("A  Brown star")][..],
        &BOX,
        &[Segment::Text("a pink heart")],
        &BOX,
    ]
    .concat();
    let options = dictated(&florence, &parts);
    let ask = |caption| photo.run_with(PhraseGrounding(caption), &options).unwrap();

    let output = ask("a brown\nstar and a grey square");
    assert_eq!(output.value.len(), 2, "{}", output.raw_text);
    let phrase = "a pink heart".to_owned();
    assert_eq!(kinds(&output), [DiagnosticKind::PhraseNotInText { phrase }]);
    let at = &output.token_ids[output.diagnostics[0].token..];
    assert!(
        florence
            .tokenizer()
            .decode(at)
            .trim_start()
            .starts_with("a pink heart")
    );

    assert_eq!(kinds(&ask("A PINK HEART on a brown star")), []);
    let request = Task::PhraseGrounding
        .with_text("a brown star")
        .recognize_special_tokens(true);
    assert_eq!(kinds(&photo.run_with(request, &options).unwrap()).len(), 1);

    // A fine-tune may write the caption that it grounds.
    let custom = Custom::prompt(Prompt::new().text("ground it")).answer(AnswerForm::Phrases);
    assert_eq!(kinds(&photo.run_with(custom, &options).unwrap()), []);
}

#[test]
fn a_caption_that_says_nothing_is_noted() {
    let (florence, photo) = photo();
    let options = dictated(&florence, &[]);
    let output = photo.run_with(Caption, &options).unwrap();
    assert_eq!(
        (output.value.text.as_str(), kinds(&output)),
        ("", vec![DiagnosticKind::EmptyAnswer])
    );
    assert_eq!(kinds(&photo.run(Caption).unwrap()), []);
}

#[test]
fn a_region_in_fractions_is_noted_and_answered() {
    let (_, photo) = photo();
    let noted = |[x1, y1, x2, y2]: [f32; 4]| {
        let output = photo
            .run(RegionToCategory(BBox::new(x1, y1, x2, y2)))
            .unwrap();
        output.diagnostics.into_iter().find(|odd| {
            let size = Size::new(390, 309);
            odd.kind == DiagnosticKind::RegionLooksNormalized { size }
        })
    };
    let odd = noted([0.25, 0.25, 0.75, 1.0]).unwrap();
    assert_eq!(
        odd.to_string(),
        "the region asked about lies within the first pixel of an image of 390x309: regions are in \
         pixels, not fractions of the sides",
    );
    assert_eq!(noted([0.0, 0.0, 1.0, 1.5]), None);
    assert_eq!(noted([148.0, 180.0, 260.0, 286.0]), None);
}
