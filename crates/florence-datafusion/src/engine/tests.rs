//! The engine without DataFusion.

use super::*;

const SCENE: &[u8] = include_bytes!("../../../../examples/scene.png");
const GREEDY: Search = Search {
    num_beams: Some(1),
    max_new_tokens: Some(20),
};

fn request(task: &str) -> Request {
    Request::new(task, Input::None).unwrap()
}

#[tokio::test]
async fn answers_of_a_batch_are_those_of_the_library() {
    let options = FlorenceOptions::default();
    let engine = engine(&options).await.unwrap();
    let decoding = Decoding::of(&options);
    let tasks = [
        "<OD>",
        "caption",
        "<OD>",
        "caption_and_ground",
        "region_to_ocr",
    ];
    let asked = tasks.map(|task| {
        let request = match task {
            "region_to_ocr" => Request::new(task, Input::Region([1.0, 2.0, 90.0, 80.0])).unwrap(),
            _ => request(task),
        };
        engine.ask(None, SCENE, request, GREEDY, decoding)
    });
    let answers = futures::future::join_all(asked).await;
    let florence = Florence::nano().unwrap();
    let greedy = GREEDY.options(florence.generation());
    let image = ImageFile::decode(SCENE, &ImageOptions::new()).unwrap();
    let photo = florence.encode(&image).unwrap();
    for (task, answer) in tasks.into_iter().zip(answers) {
        let request = match task {
            "region_to_ocr" => Request::new(task, Input::Text("1,2,90,80")).unwrap(),
            _ => request(task),
        };
        let alone = photo.run_any_with(&request.task, &greedy).unwrap();
        let line = |output| serde_json::to_string(&florence_tasks::AnswerLine::new((), output));
        assert_eq!(
            line(&answer.unwrap()).unwrap(),
            line(&alone).unwrap(),
            "{task}"
        );
    }
}

#[tokio::test]
async fn bad_images_and_questions_are_refused_alone() {
    let options = FlorenceOptions::default();
    let engine = engine(&options).await.unwrap();
    let decoding = Decoding::of(&options);
    let far = Request::new("region_to_ocr", Input::Region([5e3, 5e3, 6e3, 6e3])).unwrap();
    let (broken, outside, fine) = tokio::join!(
        engine.ask(None, &SCENE[..100], request("od"), GREEDY, decoding),
        engine.ask(None, SCENE, far, GREEDY, decoding),
        engine.ask(None, SCENE, request("od"), GREEDY, decoding),
    );
    assert!(matches!(broken, Err(AskError::Image(_))), "{broken:?}");
    assert!(matches!(outside, Err(AskError::Refused(_))), "{outside:?}");
    assert!(fine.is_ok());
    let small = Decoding {
        max_megapixels: 0,
        ..decoding
    };
    let fresh = [SCENE, b"another file of the same image"].concat();
    let large = engine
        .ask(None, fresh, request("od"), GREEDY, small)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        large.ends_with("(the limit set by florence.max_megapixels = 0)"),
        "{large}"
    );
}

#[tokio::test]
async fn engines_are_shared_and_an_unknown_model_is_an_error() {
    let options = FlorenceOptions::default();
    let (first, second) = tokio::join!(engine(&options), engine(&options));
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    let missing = FlorenceOptions {
        model: "no/such/folder".to_owned(),
        ..options
    };
    let error = engine(&missing).await.unwrap_err();
    assert!(error.contains("no/such/folder"), "{error}");
}
