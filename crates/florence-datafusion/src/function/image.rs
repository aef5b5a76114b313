//! The image of a row.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;

/// The image of a row.
#[derive(Debug)]
pub(super) enum Image<'a> {
    Bytes(RowBytes),
    /// A path or URL.
    File(&'a str),
}

impl<'a> Image<'a> {
    /// The image of this row, if it has one.
    pub(super) fn of(images: &'a ArrayRef, row: usize) -> Option<Self> {
        if images.is_null(row) {
            return None;
        }
        match images.data_type() {
            DataType::Utf8 => Some(Self::File(images.as_string::<i32>().value(row))),
            DataType::LargeUtf8 => Some(Self::File(images.as_string::<i64>().value(row))),
            DataType::Utf8View => Some(Self::File(images.as_string_view().value(row))),
            DataType::Null => None,
            _ => Some(Self::Bytes(RowBytes {
                images: images.clone(),
                row,
            })),
        }
    }

    pub(super) fn name(&self) -> Option<&'a str> {
        match self {
            Self::Bytes(_) => None,
            Self::File(name) => Some(name),
        }
    }
}

/// The bytes of a row, which are not copied.
#[derive(Debug)]
pub(super) struct RowBytes {
    images: ArrayRef,
    row: usize,
}

impl AsRef<[u8]> for RowBytes {
    fn as_ref(&self) -> &[u8] {
        match self.images.data_type() {
            DataType::Binary => self.images.as_binary::<i32>().value(self.row),
            DataType::LargeBinary => self.images.as_binary::<i64>().value(self.row),
            DataType::BinaryView => self.images.as_binary_view().value(self.row),
            // No other type gets this far.
            _ => &[],
        }
    }
}
