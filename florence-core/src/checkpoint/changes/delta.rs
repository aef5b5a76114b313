//! The product of two small matrices that LoRA adds to a weight.

use super::Tensor;
use crate::checkpoint::place::first_non_finite;
use crate::{Error, Result};

/// `scale · B·A`, not read yet.
#[derive(Debug)]
pub(in crate::checkpoint) struct Delta {
    pub(in crate::checkpoint) form: Form,
    pub(in crate::checkpoint) scale: f32,
}

/// How the two matrices lie in the file.
#[derive(Debug)]
pub(in crate::checkpoint) enum Form {
    /// Of a linear layer or a convolution: A `(rank, inputs…)`, B `(outputs, rank…)`.
    Layer { a: Tensor, b: Tensor },
    /// Of an embedding: A `(rank, rows)`, B `(columns, rank)`, whose product is the transpose.
    Table { a: Tensor, b: Tensor },
    /// The bias of B, for the bias of the layer.
    Bias(Tensor),
}

/// A delta in memory: `scale · left·right`.
#[derive(Debug)]
pub(in crate::checkpoint) struct Product {
    /// `(rows, rank)`
    left: Vec<f32>,
    /// `(rank, columns)`
    right: Vec<f32>,
    rank: usize,
    scale: f32,
    /// For messages: the file and the name of a tensor in it.
    file: String,
    key: String,
}

impl Delta {
    /// Reads both matrices.
    pub(in crate::checkpoint) fn read(&self) -> Result<Product> {
        let (left, right, rank, tensor) = match &self.form {
            Form::Layer { a, b } => (b.values()?, a.values()?, a.rows(), b),
            Form::Table { a, b } => {
                let rank = a.rows();
                let (a_values, b_values) = (a.values()?, b.values()?);
                (
                    transposed(&a_values, rank),
                    transposed(&b_values, b.rows()),
                    rank,
                    b,
                )
            }
            Form::Bias(bias) => (bias.values()?, vec![1.0], 1, bias),
        };
        Ok(Product {
            left,
            right,
            rank,
            scale: self.scale,
            file: tensor.source.label.clone(),
            key: tensor.place.name_in_file.clone(),
        })
    }
}

impl Tensor {
    fn rows(&self) -> usize {
        self.place.entry.shape.first().copied().unwrap_or(1)
    }

    fn values(&self) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.place.entry.shape.iter().product()];
        self.place.read(&self.source, 0, &mut values)?;
        Ok(values)
    }
}

/// The transpose of a matrix of so many rows.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows.max(1);
    let element = |i: usize| values[i % rows * columns + i / rows];
    (0..values.len()).map(element).collect()
}

impl Product {
    /// Adds its rows from `first` on, of so many `columns`, in f32.
    pub(in crate::checkpoint) fn add_to(
        &self,
        first: usize,
        columns: usize,
        values: &mut [f32],
    ) -> Result<()> {
        let mut delta = vec![0.0; columns];
        for (i, row) in values.chunks_exact_mut(columns).enumerate() {
            delta.fill(0.0);
            let left = &self.left[(first + i) * self.rank..][..self.rank];
            for (factor, right) in left.iter().zip(self.right.chunks_exact(columns)) {
                for (sum, value) in delta.iter_mut().zip(right) {
                    *sum += factor * value;
                }
            }
            for (value, delta) in row.iter_mut().zip(&delta) {
                *value += self.scale * delta;
            }
        }
        match first_non_finite(values) {
            None => Ok(()),
            Some(at) => Err(Error::malformed(
                &self.file,
                format!(
                    "`{}` makes a weight {} at flat index {}, expected finite numbers",
                    self.key,
                    values[at],
                    first * columns + at
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(scale: f32) -> Product {
        Product {
            left: vec![1.0, 2.0, 0.0, -1.0, 3.0, 0.5],
            right: vec![1.0, 0.0, 2.0, 4.0, 1.0, 0.0],
            rank: 2,
            scale,
            file: "f".to_owned(),
            key: "k".to_owned(),
        }
    }

    #[test]
    fn rows_are_added_wherever_they_start() {
        let mut all = vec![1.0; 9];
        product(0.5).add_to(0, 3, &mut all).unwrap();
        assert_eq!(all, [5.5, 2.0, 2.0, -1.0, 0.5, 1.0, 3.5, 1.25, 4.0]);
        let mut last = vec![1.0; 3];
        product(0.5).add_to(2, 3, &mut last).unwrap();
        assert_eq!(last, all[6..]);
    }

    #[test]
    fn a_weight_that_overflows_is_an_error() {
        let error = product(f32::MAX).add_to(0, 3, &mut [0.0; 9]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "f: `k` makes a weight inf at flat index 0, expected finite numbers"
        );
    }

    #[test]
    fn a_transpose() {
        assert_eq!(
            transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
        assert!(transposed(&[], 0).is_empty());
    }
}
