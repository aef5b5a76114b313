//! The scan of a table of images.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryBuilder, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::listing::ImageFile;
use super::provider::list_columns;
use super::{IMAGE, schema};
use crate::options::{FlorenceOptions, ReadFailure};
use crate::read::{ReadError, read};

/// Rows of a batch that has photos.
const PHOTOS: usize = 8;

/// What a scan reads; on a cluster this is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScanState {
    partitions: Vec<Vec<ImageFile>>,
    projection: Vec<usize>,
}

/// Reads the files of each partition in order, few at a time.
#[derive(Debug, Clone)]
pub(crate) struct ImagesExec {
    state: Arc<ScanState>,
    properties: Arc<PlanProperties>,
}

impl ImagesExec {
    pub(crate) fn new(partitions: Vec<Vec<ImageFile>>, projection: Vec<usize>) -> Result<Self> {
        Self::from_state(ScanState {
            partitions,
            projection,
        })
    }

    /// # Errors
    ///
    /// A column that is not there.
    pub(crate) fn from_state(state: ScanState) -> Result<Self> {
        let columns = Arc::new(schema().project(&state.projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(columns),
            Partitioning::UnknownPartitioning(state.partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            state: Arc::new(state),
            properties: Arc::new(properties),
        })
    }

    #[cfg(feature = "ballista")]
    pub(crate) fn state(&self) -> &ScanState {
        &self.state
    }
}

impl DisplayAs for ImagesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.state.partitions.iter().map(Vec::len).sum();
        let columns = self.schema();
        let columns: Vec<&str> = columns
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(
            f,
            "ImagesExec: files={files}, projection=[{}]",
            columns.join(", ")
        )
    }
}

impl ExecutionPlan for ImagesExec {
    fn name(&self) -> &str {
        "ImagesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => Err(DataFusionError::Internal(
                "ImagesExec has no children".to_owned(),
            )),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let config = context.session_config();
        let options = Arc::new(FlorenceOptions::of(config.options()));
        let reads = self.state.projection.contains(&IMAGE);
        let rows = match reads {
            true => PHOTOS.min(config.batch_size()),
            false => config.batch_size(),
        };
        if partition >= self.state.partitions.len() {
            return Err(DataFusionError::Internal(format!(
                "there is no partition {partition}"
            )));
        }
        let (state, columns) = (self.state.clone(), self.schema());
        let starts = (0..state.partitions.get(partition).map_or(0, Vec::len)).step_by(rows);
        let batches = stream::iter(starts).then(move |start| {
            let (state, columns, options) = (state.clone(), columns.clone(), options.clone());
            async move {
                let files = state
                    .partitions
                    .get(partition)
                    .map_or(&[][..], Vec::as_slice);
                let files = files.get(start..).unwrap_or_default();
                let files = files.get(..rows).unwrap_or(files);
                batch(files, &state.projection, columns, &options).await
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        )))
    }
}

async fn batch(
    files: &[ImageFile],
    projection: &[usize],
    columns: SchemaRef,
    options: &FlorenceOptions,
) -> Result<RecordBatch> {
    let mut all = list_columns(files);
    all.push(match projection.contains(&IMAGE) {
        true => photos(files, options).await?,
        false => Arc::new(BinaryBuilder::new().finish()),
    });
    let projected = projection
        .iter()
        .filter_map(|column| all.get(*column).cloned());
    let rows = RecordBatchOptions::new().with_row_count(Some(files.len()));
    Ok(RecordBatch::try_new_with_options(
        columns,
        projected.collect(),
        &rows,
    )?)
}

/// The files themselves; NULL for those that cannot be read.
async fn photos(files: &[ImageFile], options: &FlorenceOptions) -> Result<ArrayRef> {
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
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
