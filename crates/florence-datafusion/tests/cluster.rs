//! The way that a query takes on a cluster: a scheduler and an executor in this process.
#![cfg(feature = "ballista")]

mod session;

use session::{greedy, photos, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_answers_as_one_process_does() {
    let dir = photos(20);
    let folder = dir.path().to_str().unwrap();
    let table = format!("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{folder}'");
    let sql = "SELECT path, florence(path, 'od') AS answer FROM photos ORDER BY path";
    let here = greedy().await;
    run(&here, &table).await.unwrap();
    let expected = run(&here, sql).await.unwrap();
    assert_eq!(expected.len(), 21);

    let ctx = florence_datafusion::cluster::standalone().await.unwrap();
    run(&ctx, "SET florence.num_beams = 1").await.unwrap();
    run(&ctx, &table).await.unwrap();
    assert_eq!(run(&ctx, sql).await.unwrap(), expected);

    // From bytes, and with a function of lists of structs.
    let boxes =
        "SELECT path, array_length(florence_boxes(image, 'od')) AS boxes FROM photos ORDER BY path";
    assert_eq!(
        run(&ctx, boxes).await.unwrap(),
        run(&here, boxes).await.unwrap()
    );

    // Settings travel: with four tokens at most no answer has a box.
    run(&ctx, "SET florence.max_new_tokens = 4").await.unwrap();
    let short = run(&ctx, sql).await.unwrap();
    assert_eq!(short.len(), 21);
    assert_ne!(short, expected);

    // To Parquet and back.
    let out = dir.path().join("answers.parquet");
    let out = out.to_str().unwrap();
    run(&ctx, &format!("COPY (SELECT path, florence_text(path, 'caption') AS caption FROM photos) TO '{out}' STORED AS PARQUET")).await.unwrap();
    let sql = format!("SELECT count(*), count(DISTINCT path), count(caption) FROM '{out}'");
    let count = |count: &str| Some(count.to_owned());
    for ctx in [&here, &ctx] {
        assert_eq!(
            run(ctx, &sql).await.unwrap(),
            [[count("21"), count("21"), count("20")]]
        );
    }
}

/// As the chunks of `florence-sql --resume` are written, and then read by the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_folder_that_grows_is_listed_by_every_query() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let ctx = florence_datafusion::cluster::standalone().await.unwrap();
    for number in 1..=4 {
        let copy =
            format!("COPY (SELECT {number} AS n) TO '{folder}/{number}.parquet' STORED AS PARQUET");
        run(&ctx, &copy).await.unwrap();
        ctx.deregister_table("done").unwrap();
        let table = format!("CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION '{folder}/'");
        run(&ctx, &table).await.unwrap();
        let rows = run(&ctx, "SELECT count(*) FROM done").await.unwrap();
        assert_eq!(rows, [[Some(number.to_string())]]);
    }
}

/// With the sort-merge joins that Ballista prefers, the limit reached both sides of the join.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limit_stays_above_an_anti_join() {
    let dir = photos(30);
    let photos = dir.path().to_str().unwrap();
    let here = greedy().await;
    let ctx = florence_datafusion::cluster::standalone().await.unwrap();
    for ctx in [&here, &ctx] {
        let table = format!("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '{photos}'");
        run(ctx, &table).await.unwrap();
    }
    let done = dir.path().join("done");
    let done = done.to_str().unwrap();
    for offset in [0, 10] {
        let paths = format!("SELECT path FROM photos ORDER BY path LIMIT 10 OFFSET {offset}");
        let copy = format!("COPY ({paths}) TO '{done}/{offset}.parquet' STORED AS PARQUET");
        run(&here, &copy).await.unwrap();
    }
    for ctx in [&here, &ctx] {
        let table = format!("CREATE EXTERNAL TABLE done STORED AS PARQUET LOCATION '{done}/'");
        run(ctx, &table).await.unwrap();
    }
    let left = "SELECT path FROM photos LEFT ANTI JOIN done USING (path) ORDER BY path LIMIT 5";
    let expected = run(&here, left).await.unwrap();
    assert!(expected[0][0].as_ref().unwrap().ends_with("/0020.png"));
    assert_eq!(run(&ctx, left).await.unwrap(), expected);
}
