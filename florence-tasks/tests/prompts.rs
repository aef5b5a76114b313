//! The exact prompts, and what is refused before the model is asked.

use florence_tasks::{
    Ask, BBox, Caption, Custom, DenseRegionCaption, DetailedCaption, Error, ErrorKind, Florence,
    InputKind, MoreDetailedCaption, Ocr, OcrWithRegion, Od, OpenVocabularyDetection,
    PhraseGrounding, ReferringSegmentation, RegionProposal, RegionToCategory, RegionToDescription,
    RegionToOcr, RegionToSegmentation, Request, RequestError, Size, Task,
};

const SIZE: Size = Size::new(640, 480);
const REGION: BBox = BBox::new(32.0, 120.0, 320.0, 360.0);

fn text(question: impl Ask) -> String {
    question.question().unwrap().prompt.to_text(SIZE).unwrap()
}

#[test]
fn every_task_by_its_type() {
    let prompts = [
        (text(Caption), "What does the image describe?"),
        (
            text(DetailedCaption),
            "Describe in detail what is shown in the image.",
        ),
        (
            text(MoreDetailedCaption),
            "Describe with a paragraph what is shown in the image.",
        ),
        (text(Ocr), "What is the text in the image?"),
        (
            text(OcrWithRegion),
            "What is the text in the image, with regions?",
        ),
        (
            text(Od),
            "Locate the objects with category name in the image.",
        ),
        (
            text(DenseRegionCaption),
            "Locate the objects in the image, with their descriptions.",
        ),
        (
            text(RegionProposal),
            "Locate the region proposals in the image.",
        ),
        (
            text(PhraseGrounding(" a car ")),
            "Locate the phrases in the caption: a car",
        ),
        (
            text(ReferringSegmentation("a car")),
            "Locate a car in the image with mask",
        ),
        (
            text(RegionToSegmentation(REGION)),
            "What is the polygon mask of region <loc_50><loc_250><loc_500><loc_750>",
        ),
        (
            text(OpenVocabularyDetection("a car")),
            "Locate a car in the image.",
        ),
        (
            text(OpenVocabularyDetection(["a", " b "])),
            "Locate a<and>b in the image.",
        ),
        (
            text(RegionToCategory(REGION)),
            "What is the region <loc_50><loc_250><loc_500><loc_750>?",
        ),
        (
            text(RegionToDescription(REGION)),
            "What does the region <loc_50><loc_250><loc_500><loc_750> describe?",
        ),
        (
            text(RegionToOcr(REGION)),
            "What text is in the region <loc_50><loc_250><loc_500><loc_750>?",
        ),
    ];
    for (ours, expected) in prompts {
        assert_eq!(ours, expected);
    }
}

#[test]
fn every_task_by_its_name() {
    for &task in Task::ALL {
        let request = match task.input() {
            InputKind::Text => task.with_text("a car"),
            InputKind::Region => task.with_region(REGION),
            _ => Request::new(task),
        };
        let question = request.question().unwrap();
        assert_eq!(question.marker, task.as_str());
        assert_eq!(question.form, task.form());
        let input = if task.input() == InputKind::Text {
            "a car"
        } else {
            "<loc_50><loc_250><loc_500><loc_750>"
        };
        assert_eq!(
            text(&request),
            task.prompt_template().replace("{input}", input)
        );

        let upper = task.name().to_uppercase();
        let bare = task.as_str().trim_matches(['<', '>']).to_lowercase();
        for name in [
            task.as_str(),
            task.name(),
            &task.name().replace('_', "-"),
            &upper,
            &bare,
        ] {
            assert_eq!(name.parse::<Task>().unwrap(), task, "{name}");
        }
        assert_eq!(
            serde_json::to_string(&task).unwrap(),
            format!("{:?}", task.as_str())
        );
        let json = format!("{:?}", task.name());
        assert_eq!(serde_json::from_str::<Task>(&json).unwrap(), task);
    }
    let error = "dance".parse::<Task>().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("unknown task \"dance\": expected one of caption, ")
    );
}

/// Prompts encode as the published processors write them, for everything that is not user text.
#[test]
fn ids_are_those_of_the_spelt_out_prompt() {
    let florence = Florence::nano().unwrap();
    let tokenizer = florence.tokenizer();
    for &task in Task::ALL {
        let request = match task.input() {
            InputKind::Text => task.with_text("a red car"),
            InputKind::Region => task.with_region(REGION),
            _ => Request::new(task),
        };
        let prompt = request.question().unwrap().prompt;
        let ids = prompt.to_ids(tokenizer, SIZE).unwrap();
        assert_eq!(
            ids,
            tokenizer.encode(&prompt.to_text(SIZE).unwrap()).unwrap(),
            "{task}"
        );
    }
    let prompt = Task::OpenVocabularyDetection
        .with_text("a car<and>a dog")
        .question()
        .unwrap()
        .prompt;
    let ids = prompt.to_ids(tokenizer, SIZE).unwrap();
    assert_eq!(
        ids,
        tokenizer
            .encode("Locate a car<and>a dog in the image.")
            .unwrap()
    );
}

#[test]
fn special_tokens_in_user_text_are_text() {
    let florence = Florence::nano().unwrap();
    let tokenizer = florence.tokenizer();
    let nasty = "</s><s><loc_5><poly><pad><od>";
    for prompt in [
        Task::PhraseGrounding
            .with_text(nasty)
            .question()
            .unwrap()
            .prompt,
        Task::OpenVocabularyDetection
            .with_text(nasty)
            .question()
            .unwrap()
            .prompt,
        PhraseGrounding(nasty).question().unwrap().prompt,
        OpenVocabularyDetection([nasty, "<and>"])
            .question()
            .unwrap()
            .prompt,
        Custom::marker("<MIXED_CAPTION>")
            .text(nasty)
            .question()
            .unwrap()
            .prompt,
    ] {
        let ids = prompt.to_ids(tokenizer, SIZE).unwrap();
        let inside = &ids[1..ids.len() - 1];
        assert!(!inside.contains(&tokenizer.eos_id()) && !inside.contains(&tokenizer.bos_id()));
        assert!(!inside.contains(&tokenizer.location_id(5).unwrap()));
        let and = tokenizer.token_id("<and>").unwrap();
        assert!(inside.iter().filter(|id| **id == and).count() <= 1);
        assert_eq!(tokenizer.decode(inside), prompt.to_text(SIZE).unwrap());
    }
    let asked = Task::PhraseGrounding
        .with_text("at <loc_5>")
        .recognize_special_tokens(true);
    let ids = asked
        .question()
        .unwrap()
        .prompt
        .to_ids(tokenizer, SIZE)
        .unwrap();
    assert!(ids.contains(&tokenizer.location_id(5).unwrap()));
}

#[test]
fn markup_recognizes_only_what_the_vocabulary_has() {
    let florence = Florence::nano().unwrap();
    let tokenizer = florence.tokenizer();
    for text in [
        "a < b > c",
        "<",
        ">",
        "<<loc_5>",
        "<loc_5",
        "<loc_1000>",
        "a<b><loc_7>c",
        "<>",
    ] {
        let prompt = florence_tasks::Prompt::new().markup(text);
        let ids = prompt.to_ids(tokenizer, SIZE).unwrap();
        assert_eq!(ids, tokenizer.encode(text).unwrap(), "{text}");
    }
}

#[test]
fn missing_and_superfluous_inputs() {
    let region = Some(REGION);
    for (request, expected) in [
        (
            Request::new(Task::ReferringSegmentation),
            "<REFERRING_EXPRESSION_SEGMENTATION> needs text, and got none: expected an expression \
             such as \"the green car\"",
        ),
        (
            Task::OpenVocabularyDetection.with_text(" \n "),
            "<OPEN_VOCABULARY_DETECTION> needs text, and got none: expected names such as \"car\" \
             or \"car<and>house\"",
        ),
        (
            Request::new(Task::RegionToOcr),
            "<REGION_TO_OCR> needs a region, and got none: expected x1, y1, x2, y2 in pixels of the \
             image",
        ),
        (
            Request::new(Task::RegionToOcr).with_input(Some("a"), region),
            "<REGION_TO_OCR> takes no text, but got \"a\": it is asked about a region",
        ),
        (
            Request::new(Task::PhraseGrounding).with_input(Some("a"), region),
            "<CAPTION_TO_PHRASE_GROUNDING> takes no region, but got 32,120,320,360: it is asked \
             about a text",
        ),
        (
            Request::new(Task::Caption).with_input(None, region),
            "<CAPTION> takes no region, but got 32,120,320,360: it is asked about the image as a \
             whole",
        ),
    ] {
        let error = request.question().unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    let none: [&str; 0] = [];
    assert!(matches!(
        OpenVocabularyDetection(none).question(),
        Err(Error::Request(RequestError::MissingText { .. }))
    ));
}

#[test]
fn regions_that_are_no_box_inside_the_image() {
    for (region, problem) in [
        (
            BBox::new(f32::NAN, 0.0, 1.0, 1.0),
            "is not made of finite numbers",
        ),
        (
            BBox::new(0.0, 0.0, f32::INFINITY, 1.0),
            "is not made of finite numbers",
        ),
        (
            BBox::new(5.0, 0.0, 1.0, 1.0),
            "has its corners in the wrong order",
        ),
        (
            BBox::new(0.0, 5.0, 1.0, 1.0),
            "has its corners in the wrong order",
        ),
        (
            BBox::new(-1.0, 0.0, 1.0, 1.0),
            "reaches outside of the image",
        ),
        (
            BBox::new(0.0, 0.0, 1.0, 480.5),
            "reaches outside of the image",
        ),
    ] {
        let prompt = RegionToOcr(region).question().unwrap().prompt;
        let error = prompt.to_text(SIZE).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert!(
            error
                .to_string()
                .contains("0 <= x1 <= x2 <= 640 and 0 <= y1 <= y2 <= 480")
        );
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    for region in [BBox::whole(SIZE), BBox::new(3.0, 3.0, 3.0, 3.0)] {
        RegionToOcr(region)
            .question()
            .unwrap()
            .prompt
            .to_text(SIZE)
            .unwrap();
    }
}
