//! Tables of images.

mod session;

use session::{error, greedy, photos, run};

#[tokio::test]
async fn a_folder_is_a_table() {
    let dir = photos(5);
    std::fs::create_dir(dir.path().join("below")).unwrap();
    std::fs::copy(
        dir.path().join("0001.png"),
        dir.path().join("below/50% é.PNG"),
    )
    .unwrap();
    std::fs::write(dir.path().join(".hidden.png"), b"").unwrap();
    std::fs::write(dir.path().join("notes.txt"), b"").unwrap();
    let ctx = greedy().await;
    let folder = dir.path().to_str().unwrap();
    run(
        &ctx,
        &format!("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{folder}/'"),
    )
    .await
    .unwrap();
    let rows = run(&ctx, "SELECT path, size, modified > TIMESTAMP '2020-01-01', length(encode(image, 'hex')) / 2 FROM photos ORDER BY path").await;
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 7);
    for row in &rows {
        let path = row[0].as_deref().unwrap();
        assert!(path.starts_with(folder), "{path}");
        let size = std::fs::metadata(path).unwrap().len().to_string();
        assert_eq!(
            row[1..],
            [Some(size.clone()), Some("true".to_owned()), Some(size)]
        );
    }
    let count = run(
        &ctx,
        "SELECT count(*) FROM photos WHERE path LIKE '%/below/%' AND size > 100",
    )
    .await
    .unwrap();
    assert_eq!(count, [[Some("1".to_owned())]]);
    let none = run(&ctx, "SELECT path FROM photos WHERE size < 0")
        .await
        .unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn files_are_read_only_for_their_bytes() {
    let dir = photos(3);
    let ctx = greedy().await;
    let folder = dir.path().to_str().unwrap();
    run(
        &ctx,
        &format!("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{folder}'"),
    )
    .await
    .unwrap();
    let plan = |sql: &str| {
        let sql = format!("EXPLAIN {sql}");
        let ctx = ctx.clone();
        async move {
            run(&ctx, &sql)
                .await
                .unwrap()
                .iter()
                .map(|row| row[1].clone().unwrap())
                .collect::<String>()
        }
    };
    let listed = plan("SELECT path FROM photos WHERE path LIKE '%0001.png'").await;
    assert!(listed.contains("partition_sizes=[1]"), "{listed}");
    let read = plan("SELECT image FROM photos").await;
    assert!(read.contains("ReadImagesExec: columns=[image]"), "{read}");
    let counted = plan("SELECT count(*) FROM photos").await;
    assert!(!counted.contains("ReadImagesExec"), "{counted}");
}

#[tokio::test]
async fn each_photo_has_one_answer_whatever_the_partitions() {
    let dir = photos(40);
    let folder = dir.path().to_str().unwrap();
    let mut answers = Vec::new();
    for (partitions, batch) in [(1, 8192), (4, 7)] {
        let ctx = greedy().await;
        run(
            &ctx,
            &format!("SET datafusion.execution.target_partitions = {partitions}"),
        )
        .await
        .unwrap();
        run(
            &ctx,
            &format!("SET datafusion.execution.batch_size = {batch}"),
        )
        .await
        .unwrap();
        run(
            &ctx,
            &format!("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{folder}'"),
        )
        .await
        .unwrap();
        answers.push(
            run(
                &ctx,
                "SELECT path, florence(path, 'od') FROM photos ORDER BY path",
            )
            .await
            .unwrap(),
        );
        // From the bytes, the same but for the name.
        let of_bytes = run(
            &ctx,
            "SELECT path, florence_text(image, 'caption') FROM photos ORDER BY path",
        )
        .await
        .unwrap();
        assert_eq!(of_bytes.len(), 41);
        assert_eq!(of_bytes.iter().filter(|row| row[1].is_none()).count(), 1);
    }
    assert_eq!(answers[0].len(), 41);
    assert_eq!(answers[0], answers[1]);
    let failed = answers[0]
        .iter()
        .filter(|row| row[1].as_deref().unwrap().contains("\"error\":"));
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0][0].as_deref().unwrap().ends_with("broken.png"));
}

#[tokio::test]
async fn wrong_tables_are_refused() {
    let ctx = greedy().await;
    for (sql, expected) in [
        (
            "CREATE EXTERNAL TABLE t STORED AS IMAGES LOCATION '/no/such/folder'",
            "/no/such/folder: ",
        ),
        (
            "CREATE EXTERNAL TABLE t (a INT) STORED AS IMAGES LOCATION '/tmp'",
            "has the columns path, size, modified and image",
        ),
        (
            "CREATE EXTERNAL TABLE t STORED AS IMAGES LOCATION '/tmp' OPTIONS ('format.a' 'b')",
            "no options",
        ),
    ] {
        let error = error(&ctx, sql).await;
        assert!(error.contains(expected), "{error}");
    }
}
