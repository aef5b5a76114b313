//! Tables of images: a row for each file of a folder or bucket.

mod listing;
mod provider;
mod scan;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

pub use provider::{ImagesFactory, ImagesTable};
#[cfg(feature = "ballista")]
pub(crate) use scan::ReadImagesExec;

/// The position of the column that is read only when it is wanted.
const IMAGE: usize = 3;

/// The columns: path, size, modified, image.
fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let modified = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Arc::new(Schema::new(vec![
            Field::new("path", DataType::Utf8, false),
            Field::new("size", DataType::Int64, false),
            Field::new("modified", modified, true),
            Field::new("image", DataType::Binary, true),
        ]))
    });
    SCHEMA.clone()
}
