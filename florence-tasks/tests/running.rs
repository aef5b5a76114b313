//! Questions to the nano model: what is asked is what is answered, alone, in batches and from
//! several threads.

mod backends;

use std::path::Path;

use florence_tasks::{
    Answer, BBox, Caption, Custom, DiagnosticKind, EncodedImage, Error, FinishReason, Flavor,
    Florence, GenerationConfig, InputKind, Od, Output, RegionToCategory, Request, RequestError,
    Task,
};
use image::DynamicImage;

fn scene() -> DynamicImage {
    image::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene.png")).unwrap()
}

fn requests() -> Vec<Request> {
    let region = BBox::new(148.0, 180.0, 260.0, 286.0);
    Task::ALL
        .iter()
        .copied()
        .map(|task| match task.input() {
            InputKind::Text => task.with_text("brown star"),
            InputKind::Region => task.with_region(region),
            _ => Request::new(task),
        })
        .collect()
}

/// Everything but the time it took.
fn essence(output: &Output<Answer>) -> (&Answer, &[u32], &str, &str) {
    (
        &output.value,
        &output.token_ids,
        &output.raw_text,
        &output.task,
    )
}

#[test]
fn models_and_images_can_be_shared_between_threads() {
    fn check<T: Send + Sync + Clone>() {}
    check::<Florence>();
    check::<EncodedImage>();
    check::<Output<Answer>>();
    fn error<T: Send + Sync + std::error::Error + 'static>() {}
    error::<Error>();
}

#[test]
fn all_tasks_alone_encoded_in_a_batch_and_on_threads() {
    let florence = Florence::nano().unwrap();
    let img = scene();
    let photo = florence.encode(&img).unwrap();
    let requests = requests();
    let alone: Vec<_> = requests
        .iter()
        .map(|request| florence.run(request, &img).unwrap())
        .collect();
    for (request, output) in requests.iter().zip(&alone) {
        assert_eq!(output.value.form(), request.task().form());
        assert_eq!(output.logprobs.len() + 1, output.token_ids.len());
        assert_eq!(essence(output), essence(&photo.run(request).unwrap()));
    }
    let batch = photo.run_batch(&requests).unwrap();
    for (alone, batched) in alone.iter().zip(&batch) {
        assert_eq!(alone.token_ids, batched.token_ids, "{}", alone.task);
        assert_eq!(alone.raw_text, batched.raw_text);
    }
    std::thread::scope(|scope| {
        for (request, alone) in requests.iter().zip(&alone) {
            let photo = photo.clone();
            scope.spawn(move || assert_eq!(essence(alone), essence(&photo.run(request).unwrap())));
        }
    });
}

#[test]
fn a_batch_over_images_is_each_image_alone() {
    let florence = Florence::nano().unwrap();
    let images = [
        scene(),
        scene().fliph(),
        DynamicImage::new_luma8(30, 70),
        scene(),
    ];
    let batch = florence
        .run_batch(images.iter().map(|img| (Od, img)))
        .unwrap();
    assert_eq!(batch.len(), 4);
    for (img, output) in images.iter().zip(&batch) {
        let alone = florence.run(Od, img).unwrap();
        assert_eq!(alone.token_ids, output.token_ids);
        assert_eq!(alone.size, output.size);
    }
    let none: [(Od, &DynamicImage); 0] = [];
    assert!(florence.run_batch(none).unwrap().is_empty());
}

#[test]
fn the_question_at_fault_in_a_batch_is_named() {
    let florence = Florence::nano().unwrap();
    let photo = florence.encode(&scene()).unwrap();
    let error = photo.run_batch([Task::Od, Task::RegionToOcr]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("question 1 of the batch: <REGION_TO_OCR> needs a region")
    );
    let outside = RegionToCategory(BBox::new(0.0, 0.0, 1000.0, 10.0));
    assert!(matches!(
        photo.run(outside),
        Err(Error::Request(RequestError::Region(_)))
    ));
}

#[test]
fn an_image_without_pixels_is_refused() {
    let florence = Florence::nano().unwrap();
    assert!(
        florence
            .run(Caption, &DynamicImage::new_rgb8(0, 0))
            .is_err()
    );
    assert!(
        florence
            .run(Caption, &DynamicImage::new_rgb8(0, 5))
            .is_err()
    );
    florence
        .run(Caption, &DynamicImage::new_rgb8(1, 1))
        .unwrap();
}

#[test]
fn an_image_of_another_model_is_refused() {
    let (ours, theirs) = (Florence::nano().unwrap(), Florence::nano().unwrap());
    let photo = theirs.encode(&scene()).unwrap();
    assert!(matches!(
        ours.run(Caption, &photo),
        Err(Error::ForeignImage)
    ));
    let options = GenerationConfig {
        num_beams: 1,
        ..theirs.generation().clone()
    };
    theirs
        .clone()
        .with_generation(options)
        .run(Caption, &photo)
        .unwrap();
}

#[test]
fn an_answer_that_hits_the_limit_says_so() {
    let florence = Florence::nano().unwrap();
    let options = GenerationConfig {
        max_new_tokens: 4,
        ..florence.generation().clone()
    };
    let output = florence
        .run_with(Task::MoreDetailedCaption, &scene(), &options)
        .unwrap();
    assert_eq!(output.finish, FinishReason::MaxNewTokens);
    assert!(
        output
            .diagnostics
            .iter()
            .any(|odd| odd.kind == DiagnosticKind::Truncated)
    );
}

#[test]
fn outputs_serialise_with_their_typed_answer() {
    let florence = Florence::nano().unwrap();
    let output = florence.run(Task::Od, &scene()).unwrap();
    let json = serde_json::to_value(&output).unwrap();
    let keys: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "value",
            "task",
            "size",
            "raw_text",
            "token_ids",
            "logprobs",
            "score",
            "finish",
            "diagnostics",
            "timings_ms"
        ]
    );
    assert_eq!(json["value"]["form"], "boxes");
    assert!(json["timings_ms"]["vision"].as_f64().unwrap() > 0.0);
    let answer: Answer = serde_json::from_value(json["value"].clone()).unwrap();
    assert_eq!(answer, output.value);
    for flavor in [Flavor::Microsoft, Flavor::Transformers] {
        let dict = output.to_reference_json(flavor);
        let detections = output.detections().len();
        assert_eq!(dict["<OD>"]["labels"].as_list().unwrap().len(), detections);
    }
}

#[test]
fn custom_questions_keep_their_marker() {
    let florence = Florence::nano().unwrap();
    let output = florence
        .run(Custom::marker("<GENERATE_TAGS>"), &scene())
        .unwrap();
    assert_eq!(output.task, "<GENERATE_TAGS>");
    let dict = output.to_reference_json(Flavor::Microsoft);
    assert!(dict["<GENERATE_TAGS>"].as_str().is_some());
}

#[test]
fn on_candle() {
    backends::again_on_candle();
}
