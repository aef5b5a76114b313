//! The functions in queries.

mod session;

use serde_json::Value;
use session::{error, file, greedy, json, run, scene};

/// The line of `florence run --json` about the scene, as `florence run` has written it.
fn recorded() -> Vec<Value> {
    let lines = include_str!("data/run.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_line_is_that_of_florence_run() {
    let ctx = greedy().await;
    let scene = scene();
    let lines = recorded();
    assert_eq!(lines.len(), 6);
    for expected in lines {
        let task = expected["task"].as_str().unwrap();
        let input = match (&expected["input"], &expected["region"]) {
            (Value::String(text), _) => format!(", '{text}'"),
            (_, Value::Array(region)) => format!(", {}", Value::Array(region.clone())),
            _ => String::new(),
        };
        let line = json(
            &ctx,
            &format!("SELECT florence('{scene}', '{task}'{input})"),
        )
        .await;
        assert_eq!(line["image"], *scene);
        for field in [
            "width",
            "height",
            "task",
            "text",
            "token_ids",
            "reference",
            "diagnostics",
            "input",
            "region",
        ] {
            assert_eq!(line[field], expected[field], "{task}: {field}");
        }
        // Confidences are compared to what instruction sets change.
        let rounded = |value: &Value| round(value).to_string();
        assert_eq!(
            rounded(&line["answer"]),
            rounded(&expected["answer"]),
            "{task}"
        );
        // What differs from run to run is left out.
        let keys = |line: &Value| {
            line.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut without = keys(&expected);
        without.retain(|key| key != "timings_ms" && key != "device");
        assert_eq!(keys(&line), without, "{task}");
        assert!(!line.to_string().contains("timings_ms"), "{task}");
    }
}

/// Numbers to three digits.
fn round(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from((number.as_f64().unwrap() * 1e3).round()),
        Value::Array(items) => items.iter().map(round).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), round(value)))
            .collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn bytes_give_the_same_answer_as_the_file() {
    let ctx = greedy().await;
    let scene = scene();
    let hex: String = std::fs::read(&scene)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut of_file = json(&ctx, &format!("SELECT florence('{scene}', 'od')")).await;
    of_file.as_object_mut().unwrap().shift_remove("image");
    for kind in ["BinaryView", "Binary", "LargeBinary"] {
        let bytes = format!("arrow_cast(X'{hex}', '{kind}')");
        let line = json(&ctx, &format!("SELECT florence({bytes}, 'od')")).await;
        assert_eq!(line, of_file, "{kind}");
    }
    for kind in ["Utf8", "LargeUtf8", "Utf8View", "Dictionary(Int32, Utf8)"] {
        let path = format!("arrow_cast('{scene}', '{kind}')");
        let line = json(
            &ctx,
            &format!("SELECT florence({path}, arrow_cast('od', '{kind}'))"),
        )
        .await;
        assert_eq!(line["token_ids"], of_file["token_ids"], "{kind}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_row_is_its_value() {
    let ctx = greedy().await;
    let scene = scene();
    let table = format!(
        "(VALUES ('{scene}', 'od', NULL), ('no.png', 'od', NULL), ('{}', 'od', NULL), (NULL, 'od', NULL),
          ('{scene}', NULL, NULL), ('{scene}', 'odd', NULL), ('{scene}', 'region_to_ocr', '1,2,3'),
          ('{scene}', 'region_to_ocr', '9000,9000,9100,9100'), ('{scene}', 'phrase_grounding', NULL)) AS t(image, task, text)",
        file("README.md"),
    );
    let rows = run(
        &ctx,
        &format!("SELECT florence(image, task, text) FROM {table}"),
    )
    .await
    .unwrap();
    let errors = rows.iter().map(|row| {
        let line: Value = serde_json::from_str(row[0].as_deref()?).unwrap();
        Some((
            line["image"].as_str().unwrap().to_owned(),
            line["error"].as_str().unwrap_or("none").to_owned(),
        ))
    });
    let errors: Vec<_> = errors.collect();
    let expected = [
        Some("none"),
        Some("no.png: no such file"),
        Some("README.md: not an image, or of an unknown format"),
        None,
        None,
        Some("unknown task \"odd\""),
        Some("<REGION_TO_OCR> takes a region, and got \"1,2,3\""),
        Some("region 9000,9000,9100,9100 reaches outside of the image"),
        Some("<CAPTION_TO_PHRASE_GROUNDING> needs text"),
    ];
    assert_eq!(errors.len(), expected.len());
    for (error, expected) in errors.iter().zip(expected) {
        match (error, expected) {
            (Some((_, error)), Some(expected)) => {
                assert!(error.contains(expected), "{error}: {expected}")
            }
            (None, None) => (),
            other => panic!("{other:?}"),
        }
    }
    // The other functions have no place for a reason.
    let others = format!(
        "SELECT florence_text(image, task, text), array_length(florence_boxes(image, task, text)) FROM {table}"
    );
    let rows = run(&ctx, &others).await.unwrap();
    assert_eq!(rows[0], [None, Some("3".to_owned())]);
    assert!(rows[1..].iter().flatten().all(Option::is_none), "{rows:?}");
}

#[tokio::test]
async fn wrong_literals_and_types_fail_before_any_image_is_read() {
    let ctx = greedy().await;
    for (call, expected) in [
        (
            "florence('a.png', '<CAPTON>')",
            "florence: unknown task \"<CAPTON>\": did you mean <CAPTION>?",
        ),
        (
            "florence_text('a.png', 'phrase_grounding')",
            "florence_text: <CAPTION_TO_PHRASE_GROUNDING> needs text",
        ),
        (
            "florence('a.png', 'region_to_ocr', 'left')",
            "expected 'x1,y1,x2,y2'",
        ),
        ("florence('a.png', 'od', 'cat')", "<OD> "),
        (
            "florence(7, 'od')",
            "florence: the image is Int64: expected BINARY, or a path or URL as VARCHAR",
        ),
        (
            "florence_boxes('a.png', 7)",
            "florence_boxes: the task is Int64",
        ),
        (
            "florence('a.png', 'od', TRUE)",
            "the third argument is Boolean: expected a text, or a region",
        ),
    ] {
        let error = error(&ctx, &format!("EXPLAIN SELECT {call}")).await;
        assert!(error.contains(expected), "{call}: {error}");
    }
    assert!(
        error(&ctx, "SELECT florence('a.png')")
            .await
            .contains("florence")
    );
}

#[tokio::test]
async fn text_and_boxes_are_those_of_the_answer() {
    let ctx = greedy().await;
    let scene = scene();
    let sql = format!(
        "SELECT florence_text('{scene}', 'caption'), florence_text('{scene}', 'ocr_with_region'), florence_text('{scene}', 'od')"
    );
    let rows = run(&ctx, &sql).await.unwrap();
    let caption = "a cyan diamond, a green triangle and a black pentagon with text";
    assert_eq!(
        rows,
        [[
            Some(caption.to_owned()),
            Some("lawn shore".to_owned()),
            None
        ]]
    );
    let sql = format!(
        "SELECT box['label'], box['confidence'] > 0.01, box['x1'] < box['x2'], box['y2'] <= 447
         FROM (SELECT unnest(florence_boxes('{scene}', 'od')) AS box)"
    );
    let rows = run(&ctx, &sql).await.unwrap();
    let labels: Vec<_> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(labels, ["diamond", "triangle", "pentagon"]);
    assert!(
        rows.iter()
            .all(|row| row[1..].iter().all(|cell| cell.as_deref() == Some("true"))),
        "{rows:?}"
    );
}

#[tokio::test]
async fn a_null_image_costs_nothing() {
    let ctx = greedy().await;
    // A model that is not there is not loaded either.
    run(&ctx, "SET florence.model = '/no/such/folder'")
        .await
        .unwrap();
    let rows = run(
        &ctx,
        "SELECT florence(CASE WHEN 1 > 2 THEN 'a.png' END, 'od')",
    )
    .await
    .unwrap();
    assert_eq!(rows, [[None]]);
    let error = error(&ctx, &format!("SELECT florence('{}', 'od')", scene())).await;
    assert!(
        error.contains("florence.model = /no/such/folder: "),
        "{error}"
    );
}

#[tokio::test]
async fn settings_change_answers() {
    let ctx = greedy().await;
    run(&ctx, "SET florence.max_new_tokens = 4").await.unwrap();
    let line = json(&ctx, &format!("SELECT florence('{}', 'caption')", scene())).await;
    assert!(line["token_ids"].as_array().unwrap().len() <= 5, "{line}");
    run(&ctx, "SET florence.max_megapixels = 1").await.unwrap();
    run(&ctx, "SET florence.max_megabytes = 1").await.unwrap();
    let rows = run(&ctx, "SHOW florence.max_megabytes").await.unwrap();
    assert_eq!(rows[0][1].as_deref(), Some("1"));
}

#[tokio::test]
async fn settings_choose_the_size_and_the_processor() {
    let ctx = greedy().await;
    let scene = scene();
    let asked = format!("SELECT florence('{scene}', 'od')");
    let usual = json(&ctx, &asked).await;
    let nano = file("crates/florence-nano");
    run(&ctx, &format!("SET florence.model = '{nano}'"))
        .await
        .unwrap();
    run(&ctx, &format!("SET florence.processor = '{nano}'"))
        .await
        .unwrap();
    run(&ctx, "SET florence.image_size = '160x128'")
        .await
        .unwrap();
    let wide = json(&ctx, &asked).await;
    assert_eq!(
        (&wide["width"], &wide["height"]),
        (&usual["width"], &usual["height"])
    );
    assert_ne!(wide["logprobs"], usual["logprobs"]);
    run(&ctx, "SET florence.image_size = '128'").await.unwrap();
    assert_eq!(json(&ctx, &asked).await, usual);

    let wrong = error(&ctx, "SET florence.image_size = '0'").await;
    assert!(wrong.contains("expected N or WIDTHxHEIGHT"), "{wrong}");
    run(&ctx, "SET florence.image_size = '4000'").await.unwrap();
    let wrong = error(&ctx, &asked).await;
    assert!(wrong.contains("4000x4000 pixels give 250 × 250"), "{wrong}");
}
