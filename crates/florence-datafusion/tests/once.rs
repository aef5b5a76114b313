//! What is asked twice in a query is answered once. One test, since the counts are those of a process.

mod session;

use florence_datafusion::Counts;
use session::{file, greedy, photos, run};

#[tokio::test]
async fn two_mentions_of_a_call_ask_the_model_once() {
    let ctx = greedy().await;
    let dir = photos(40);
    let table = format!(
        "CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{}'",
        dir.path().display()
    );
    run(&ctx, &table).await.unwrap();
    // How often the plan has the call, and the questions and images per photo. Each query has its own
    // tasks, since answers are remembered.
    for (sql, calls, questions, images) in [
        (
            "SELECT florence(path, 'od') AS a, length(florence(path, 'od')) AS b FROM photos",
            1,
            1,
            1,
        ),
        (
            "SELECT florence(path, 'ocr') AS a FROM photos WHERE florence(path, 'ocr') LIKE '%text%'",
            2,
            1,
            0,
        ),
        // A field of a struct is a call each, but the model knows the answer.
        (
            "SELECT box['label'], box['x1'] FROM (SELECT florence_boxes(path, 'region_proposal')[1] AS box FROM photos)",
            2,
            1,
            0,
        ),
        (
            "SELECT florence(path, 'caption') AS a, florence_text(path, 'caption') AS b FROM photos",
            2,
            1,
            0,
        ),
        (
            "SELECT box['label'], box['x1'] FROM (SELECT unnest(florence_boxes(path, 'od')) AS box FROM photos)",
            1,
            0,
            0,
        ),
    ] {
        let plan = run(&ctx, &format!("EXPLAIN {sql}")).await.unwrap();
        let plan = plan
            .iter()
            .find(|row| row[0].as_deref() == Some("physical_plan"))
            .unwrap();
        let plan = plan[1].clone().unwrap();
        assert_eq!(plan.matches("async_expr(").count(), calls, "{plan}");
        let before = Counts::now();
        run(&ctx, sql).await.unwrap();
        let after = Counts::now();
        let counted = (
            after.questions - before.questions,
            after.images - before.images,
        );
        assert_eq!(counted, (40 * questions, 40 * images), "{sql}");
    }
    // Files with the same content are one image.
    let copies = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        std::fs::copy(file("examples/annotated.png"), copies.path().join(name)).unwrap();
    }
    let table = format!(
        "CREATE EXTERNAL TABLE copies STORED AS IMAGES LOCATION '{}'",
        copies.path().display()
    );
    run(&ctx, &table).await.unwrap();
    let before = Counts::now();
    let rows = run(&ctx, "SELECT path, florence(path, 'od') FROM copies")
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| {
        row[1]
            .as_deref()
            .unwrap()
            .contains(row[0].as_deref().unwrap())
    }));
    assert_eq!(Counts::now().questions - before.questions, 1);
    assert_eq!(Counts::now().images - before.images, 1);
}
