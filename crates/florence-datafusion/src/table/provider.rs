//! The table provider, and `CREATE EXTERNAL TABLE … STORED AS IMAGES`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::{
    CreateExternalTable, Expr, TableProviderFilterPushDown, TableType, Volatility,
};
use datafusion::physical_plan::ExecutionPlan;

use super::listing::{ImageFile, images};
use super::scan::scan;
use super::{IMAGE, schema};

/// Files of a batch of the list.
const LISTED: usize = 1024;

/// A table of the images below some locations: folders, files, or URLs of object stores.
///
/// | column | type | |
/// | --- | --- | --- |
/// | `path` | `VARCHAR` | the location and the name below it, as the functions read it |
/// | `size` | `BIGINT` | in bytes |
/// | `modified` | `TIMESTAMP` | UTC |
/// | `image` | `BINARY` | the file; NULL where it cannot be read |
///
/// Files are listed by each query, and read only where it uses `image`. Conditions on the other
/// columns are applied to the list. Pass `path` to the functions rather than `image`: they read the
/// file themselves, say why one cannot be read, and no photo is carried through the query.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use datafusion::prelude::SessionContext;
/// use florence_datafusion::ImagesTable;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = SessionContext::new();
/// ctx.register_table("photos", Arc::new(ImagesTable::new(["../../examples"])))?;
/// let scenes = ctx.sql("SELECT path FROM photos WHERE path LIKE '%scene.png'").await?;
/// assert_eq!(scenes.count().await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImagesTable {
    locations: Vec<String>,
}

impl ImagesTable {
    /// The images below these locations.
    ///
    /// # Example
    ///
    /// See [`ImagesTable`].
    pub fn new<L: Into<String>>(locations: impl IntoIterator<Item = L>) -> Self {
        Self {
            locations: locations.into_iter().map(Into::into).collect(),
        }
    }

    /// The locations.
    ///
    /// # Example
    ///
    /// ```
    /// let table = florence_datafusion::ImagesTable::new(["photos", "s3://bucket/photos"]);
    /// assert_eq!(table.locations(), ["photos", "s3://bucket/photos"]);
    /// ```
    pub fn locations(&self) -> &[String] {
        &self.locations
    }
}

#[async_trait]
impl TableProvider for ImagesTable {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushdown = |filter: &&Expr| match is_about_the_list(filter) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(pushdown).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut files = Vec::new();
        for location in &self.locations {
            files.extend(images(location).await?);
        }
        for filter in filters.iter().filter(|filter| is_about_the_list(filter)) {
            files = filtered(files, filter, state)?;
        }
        files.truncate(limit.unwrap_or(usize::MAX));
        let partitions = state.config().target_partitions();
        let projection = projection.cloned().unwrap_or_else(|| (0..=IMAGE).collect());
        let partitions = shared_out(&files, partitions);
        scan(&partitions.collect::<Result<Vec<_>>>()?, projection)
    }
}

/// Whether a condition can be decided without reading files.
fn is_about_the_list(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    let is_listed = columns.iter().all(|column| column.name != "image");
    let is_fixed = !filter
        .exists(|part| {
            Ok(match part {
                Expr::ScalarFunction(call) => {
                    call.func.signature().volatility != Volatility::Immutable
                }
                Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::Placeholder(_) => true,
                _ => false,
            })
        })
        .unwrap_or(true);
    is_listed && is_fixed
}

/// The files for which a condition holds.
fn filtered(files: Vec<ImageFile>, filter: &Expr, state: &dyn Session) -> Result<Vec<ImageFile>> {
    let batch = list(&files)?;
    // Columns of a filter are named without their table, as in the list.
    let filter = unnormalize_col(filter.clone());
    let holds = state.create_physical_expr(filter, &DFSchema::try_from(batch.schema())?)?;
    let holds = holds.evaluate(&batch)?.into_array(files.len())?;
    let holds: &BooleanArray = as_boolean_array(&holds)?;
    let kept = files
        .into_iter()
        .zip(holds)
        .filter(|(_, holds)| *holds == Some(true));
    Ok(kept.map(|(file, _)| file).collect())
}

/// The columns `path`, `size` and `modified` of these files.
fn list(files: &[ImageFile]) -> Result<RecordBatch> {
    let paths = files.iter().map(|file| Some(file.path.as_str()));
    let sizes = files.iter().map(|file| i64::try_from(file.size).ok());
    let modified = files.iter().map(|file| file.modified);
    let modified = modified
        .collect::<TimestampMicrosecondArray>()
        .with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(paths.collect::<StringArray>()),
        Arc::new(sizes.collect::<Int64Array>()),
        Arc::new(modified),
    ];
    Ok(RecordBatch::try_new(
        Arc::new(schema().project(&[0, 1, 2])?),
        columns,
    )?)
}

/// The files in at most so many partitions of equal length, in order.
fn shared_out(
    files: &[ImageFile],
    partitions: usize,
) -> impl Iterator<Item = Result<Vec<RecordBatch>>> {
    let length = files.len().div_ceil(partitions.max(1)).max(1);
    let partition = |files: &[ImageFile]| files.chunks(LISTED).map(list).collect();
    files.chunks(length).map(partition)
}

/// `CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION 'photos/'`: an [`ImagesTable`].
///
/// # Example
///
/// ```
/// use datafusion::prelude::SessionContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// let ctx = SessionContext::new();
/// florence_datafusion::register(&ctx)?;
/// ctx.sql("CREATE EXTERNAL TABLE photos STORED AS IMAGES LOCATION '../../examples'").await?;
/// assert!(ctx.sql("SELECT path, size FROM photos").await?.count().await? > 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ImagesFactory;

#[async_trait]
impl TableProviderFactory for ImagesFactory {
    async fn create(
        &self,
        _: &dyn Session,
        cmd: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let table = &cmd.name;
        if !cmd.schema.fields().is_empty() || !cmd.table_partition_cols.is_empty() {
            return plan_err!(
                "{table}: a table of images has the columns path, size, modified and image: expected none here"
            );
        }
        if let Some(option) = cmd.options.keys().next() {
            return plan_err!("{table}: a table of images has no options, got {option}");
        }
        // A location that does not exist is told now, not by the first query.
        for location in &cmd.locations {
            images(location).await?;
        }
        Ok(Arc::new(ImagesTable::new(cmd.locations.clone())))
    }
}
