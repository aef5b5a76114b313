//! Queries and their rows. Each test uses a part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use serde_json::Value;

/// A file of the workspace.
pub(crate) fn file(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let root = Path::new(root).canonicalize().unwrap();
    root.join(name).to_str().unwrap().to_owned()
}

/// A photo of 529 × 447 pixels that the demo model knows.
pub(crate) fn scene() -> String {
    file("examples/scene.png")
}

/// A folder of copies of the model's sample scenes, and a broken file.
pub(crate) fn photos(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let samples = PathBuf::from(file("crates/florence-nano/eval/images"));
    let mut names: Vec<_> = std::fs::read_dir(samples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for (index, name) in names.iter().cycle().take(count).enumerate() {
        std::fs::copy(name, dir.path().join(format!("{index:04}.png"))).unwrap();
    }
    std::fs::write(dir.path().join("broken.png"), b"no image").unwrap();
    dir
}

/// A session that searches greedily, for speed.
pub(crate) async fn greedy() -> SessionContext {
    let ctx = florence_datafusion::context().unwrap();
    run(&ctx, "SET florence.num_beams = 1").await.unwrap();
    ctx
}

/// The rows of a query: each column as text, NULL as nothing.
pub(crate) async fn run(ctx: &SessionContext, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let batches = ctx.sql(sql).await?.collect().await?;
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Utf8).unwrap());
        let columns: Vec<_> = columns.collect();
        for row in 0..batch.num_rows() {
            let cell = |column: &datafusion::arrow::array::ArrayRef| {
                let texts = column.as_string::<i32>();
                column.is_valid(row).then(|| texts.value(row).to_owned())
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    Ok(rows)
}

/// The JSON of the only cell.
pub(crate) async fn json(ctx: &SessionContext, sql: &str) -> Value {
    let rows = run(ctx, sql).await.unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    serde_json::from_str(rows[0][0].as_deref().unwrap()).unwrap()
}

/// The error of a query.
pub(crate) async fn error(ctx: &SessionContext, sql: &str) -> String {
    run(ctx, sql).await.unwrap_err().strip_backtrace()
}
