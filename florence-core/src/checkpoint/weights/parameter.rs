//! One tensor of a checkpoint, to be read whole or by rows.

use std::sync::Arc;

use super::Inner;
use crate::checkpoint::changes::{Change, Product, Tensor};
use crate::checkpoint::place::Place;
use crate::checkpoint::source::Source;
use crate::{Error, Result};

/// A tensor that the network asks for, as `f32` in row-major order and the native orientation,
/// whatever the file holds.
#[derive(Debug)]
pub(crate) struct Parameter {
    name: String,
    shape: Vec<usize>,
    data: Data,
    /// What adapters add.
    products: Vec<Product>,
    /// Whether adapters change it.
    is_changed: bool,
}

#[derive(Debug)]
enum Data {
    /// To be read from the files, under this name.
    Stored(Arc<Inner>, String),
    /// To be read from an adapter's file.
    Replaced(Arc<Change>),
    Values(Vec<f32>),
}

impl Parameter {
    /// The tensor `key` of the files. Where they store its transpose it is read here, as a whole.
    pub(super) fn stored(inner: &Arc<Inner>, key: &str, shape: &[usize]) -> Result<Self> {
        let place = &inner.tensors[key];
        let source = &inner.sources[place.entry.source];
        place.expect(source, shape)?;
        let data = match turned(source, place)? {
            Some(values) => Data::Values(values),
            None => Data::Stored(Arc::clone(inner), key.to_owned()),
        };
        Ok(Self {
            name: key.to_owned(),
            shape: shape.to_vec(),
            data,
            products: Vec::new(),
            is_changed: false,
        })
    }

    /// This tensor, called `name`, with what adapters change of it.
    pub(super) fn changed(mut self, name: &str, changes: &[Arc<Change>]) -> Result<Self> {
        if !changes.is_empty() {
            self.name = name.to_owned();
            self.is_changed = true;
        }
        for change in changes {
            match &**change {
                Change::Replace(Tensor { source, place }, _) => {
                    place.expect(source, &self.shape)?;
                    self.data = match turned(source, place)? {
                        Some(values) => Data::Values(values),
                        None => Data::Replaced(Arc::clone(change)),
                    };
                }
                Change::Add(delta) => self.products.push(delta.read()?),
            }
        }
        Ok(self)
    }

    /// A tensor that is in memory.
    pub(crate) fn from_values(name: &str, shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>());
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            data: Data::Values(values),
            products: Vec::new(),
            is_changed: false,
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

    /// Whether adapters change it.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
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
        let columns = self.shape.iter().skip(1).product::<usize>();
        let start = first * columns;
        match &self.data {
            Data::Stored(inner, key) => {
                let place = &inner.tensors[key];
                place.read(&inner.sources[place.entry.source], start, values)?;
            }
            Data::Replaced(change) => {
                if let Change::Replace(Tensor { source, place }, _) = &**change {
                    place.read(source, start, values)?;
                }
            }
            Data::Values(all) => values.copy_from_slice(&all[start..][..values.len()]),
        }
        for product in &self.products {
            product.add_to(first, columns, values)?;
        }
        Ok(())
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

/// All values of a matrix that its file stores as the transpose; `None` for others.
fn turned(source: &Source, place: &Place) -> Result<Option<Vec<f32>>> {
    let (true, &[columns, rows]) = (place.transposed, place.entry.shape.as_slice()) else {
        return Ok(None);
    };
    let mut stored = vec![0.0; rows * columns];
    place.read(source, 0, &mut stored)?;
    let turned = (0..rows * columns).map(|i| stored[i % columns * rows + i / columns]);
    Ok(Some(turned.collect()))
}
