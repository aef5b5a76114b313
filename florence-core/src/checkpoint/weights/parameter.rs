//! One tensor of a checkpoint, to be read whole or by rows.

use std::sync::Arc;

use super::Inner;
use crate::{Error, Result};

/// A tensor that the network asks for, as `f32` in row-major order and the native orientation,
/// whatever the file holds.
#[derive(Debug)]
pub(crate) struct Parameter {
    name: String,
    shape: Vec<usize>,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// To be read from the files, under this name.
    Stored(Arc<Inner>, String),
    Values(Vec<f32>),
}

impl Parameter {
    /// The tensor `key` of the files. Where they store its transpose it is read here, as a whole.
    pub(super) fn stored(inner: &Arc<Inner>, key: &str, shape: &[usize]) -> Result<Self> {
        let place = &inner.tensors[key];
        let source = &inner.sources[place.entry.source];
        place.expect(source, shape)?;
        let data = match *shape {
            [rows, columns] if place.transposed => {
                let mut stored = vec![0.0; rows * columns];
                place.read(source, 0, &mut stored)?;
                let turned = (0..rows * columns).map(|i| stored[i % columns * rows + i / columns]);
                Data::Values(turned.collect())
            }
            _ => Data::Stored(Arc::clone(inner), key.to_owned()),
        };
        Ok(Self {
            name: key.to_owned(),
            shape: shape.to_vec(),
            data,
        })
    }

    /// A tensor that is in memory.
    pub(crate) fn from_values(name: &str, shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>());
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            data: Data::Values(values),
        }
    }

    /// The native name; that of the embedding table where the file has one table
    /// for several.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether training changes it: the temporal embedding is fixed (sines and cosines).
    pub(crate) fn is_learned(&self) -> bool {
        !self
            .name
            .ends_with("visual_temporal_embed.pos_idx_to_embed")
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values.
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.shape.iter().product()];
        self.read_rows(0, &mut values)?;
        Ok(values)
    }

    /// Whole rows of the first dimension, from row `first` on.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    pub(crate) fn read_rows(&self, first: usize, values: &mut [f32]) -> Result<()> {
        let start = first * self.shape.iter().skip(1).product::<usize>();
        match &self.data {
            Data::Stored(inner, key) => {
                let place = &inner.tensors[key];
                place.read(&inner.sources[place.entry.source], start, values)
            }
            Data::Values(all) => {
                values.copy_from_slice(&all[start..][..values.len()]);
                Ok(())
            }
        }
    }

    /// The error for a layer that expects another shape.
    pub(crate) fn unexpected(&self, expected: &str) -> Error {
        candle_core::Error::msg(format!(
            "tensor `{}` has shape {:?}, expected {expected}",
            self.name, self.shape
        ))
        .into()
    }
}
