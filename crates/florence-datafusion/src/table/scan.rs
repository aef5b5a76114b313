//! The scan of a table of images: the list of files is a table in memory, and an operator above it reads
//! them.
//!
//! Ballista gives a task its part of a plan only for leaves that it knows, such as tables in memory;
//! of any other leaf every task would read all files, and each photo would have several rows.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BinaryBuilder, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{IMAGE, schema};
use crate::options::{FlorenceOptions, ReadFailure};
use crate::read::{ReadError, read};

/// Rows of a batch that has photos.
const PHOTOS: usize = 8;

/// The scan of a list of files, in partitions, with these columns of the table.
pub(super) fn scan(
    partitions: &[Vec<RecordBatch>],
    projection: Vec<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let listed = schema().project(&[0, 1, 2])?;
    let reads = projection.contains(&IMAGE);
    let of_list = (!reads).then(|| projection.clone());
    let list = MemorySourceConfig::try_new_exec(partitions, Arc::new(listed), of_list)?;
    match reads {
        true => Ok(Arc::new(ReadImagesExec::new(list, projection)?)),
        false => Ok(list),
    }
}

/// Adds the files to a list with the columns `path`, `size` and `modified`, few at a time.
#[derive(Debug, Clone)]
pub(crate) struct ReadImagesExec {
    list: Arc<dyn ExecutionPlan>,
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl ReadImagesExec {
    /// # Errors
    ///
    /// A list with other columns; a column that no table of images has.
    pub(crate) fn new(list: Arc<dyn ExecutionPlan>, projection: Vec<usize>) -> Result<Self> {
        if list.schema().fields()[..] != schema().fields()[..IMAGE] {
            return internal_err!("{} is no list of images", list.name());
        }
        let columns = Arc::new(schema().project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(columns),
            list.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            list,
            projection,
            properties: Arc::new(properties),
        })
    }

    #[cfg(feature = "ballista")]
    pub(crate) fn projection(&self) -> &[usize] {
        &self.projection
    }
}

impl DisplayAs for ReadImagesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.schema();
        let names = columns.fields().iter().map(|field| field.name().as_str());
        let names: Vec<&str> = names.collect();
        write!(f, "ReadImagesExec: columns=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for ReadImagesExec {
    fn name(&self) -> &str {
        "ReadImagesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.list]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop()) {
            (Some(list), None) => Ok(Arc::new(Self::new(list, self.projection.clone())?)),
            _ => internal_err!("ReadImagesExec has one child"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let config = context.session_config();
        let options = Arc::new(FlorenceOptions::of(config.options()));
        let rows = PHOTOS.min(config.batch_size());
        let lists = self.list.execute(partition, context)?;
        let few = lists.map_ok(move |list| {
            let starts = (0..list.num_rows()).step_by(rows);
            let few =
                starts.map(move |start| Ok(list.slice(start, rows.min(list.num_rows() - start))));
            stream::iter(few)
        });
        let projection = self.projection.clone();
        let batches = few.try_flatten().and_then(move |list: RecordBatch| {
            let (projection, options) = (projection.clone(), options.clone());
            async move { with_photos(&list, &projection, &options).await }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        )))
    }
}

async fn with_photos(
    list: &RecordBatch,
    projection: &[usize],
    options: &FlorenceOptions,
) -> Result<RecordBatch> {
    let mut columns = list.columns().to_vec();
    columns.push(photos(list.column(0), options).await?);
    let all = RecordBatch::try_new(Arc::new(Schema::clone(&schema())), columns)?;
    Ok(all.project(projection)?)
}

/// The files themselves; NULL for those that cannot be read.
async fn photos(paths: &ArrayRef, options: &FlorenceOptions) -> Result<ArrayRef> {
    let paths: Vec<String> = paths
        .as_string::<i32>()
        .iter()
        .flatten()
        .map(str::to_owned)
        .collect();
    let reading = stream::iter(paths).map(|path| async move {
        match read(&path, options).await {
            Ok(photo) => Ok(Some(photo.bytes)),
            Err(ReadError::Failed(error)) if options.read_failure == ReadFailure::Error => {
                Err(DataFusionError::from(ReadError::Failed(error)))
            }
            Err(_) => Ok(None),
        }
    });
    let photos: Vec<Option<Vec<u8>>> = reading.buffered(PHOTOS).try_collect().await?;
    let mut column = BinaryBuilder::new();
    for photo in &photos {
        column.append_option(photo.as_deref());
    }
    Ok(Arc::new(column.finish()))
}
