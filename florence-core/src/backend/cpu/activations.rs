//! Activations in host memory.

use candle_core::{Device, Result, Tensor, bail};

use super::gemm::Rows;

/// `(batch, tokens, dim)` in row-major order.
#[derive(Debug, Clone)]
pub(crate) struct Activations {
    pub(crate) values: Vec<f32>,
    pub(crate) batch: usize,
    pub(crate) tokens: usize,
    pub(crate) dim: usize,
}

impl Activations {
    /// Activations from one value per position.
    ///
    /// # Errors
    ///
    /// When there are more values or fewer.
    pub(crate) fn new(
        values: Vec<f32>,
        (batch, tokens, dim): (usize, usize, usize),
    ) -> Result<Self> {
        if values.len() != batch * tokens * dim {
            bail!("{} values for {batch}×{tokens}×{dim}", values.len());
        }
        Ok(Self {
            values,
            batch,
            tokens,
            dim,
        })
    }

    /// From a tensor `(batch, tokens, dim)` on any device.
    pub(crate) fn from_tensor(x: &Tensor) -> Result<Self> {
        let shape = x.dims3()?;
        let values = x.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        Self::new(values, shape)
    }

    pub(crate) fn into_tensor(self) -> Result<Tensor> {
        let shape = (self.batch, self.tokens, self.dim);
        Tensor::from_vec(self.values, shape, &Device::Cpu)
    }

    /// Activations of the same batch from `values`, `dim` per token.
    pub(crate) fn with(&self, values: Vec<f32>, tokens: usize, dim: usize) -> Result<Self> {
        Self::new(values, (self.batch, tokens, dim))
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch * self.tokens
    }

    /// All tokens of all sequences, as rows.
    pub(crate) fn view(&self) -> Rows<'_> {
        Rows::dense(&self.values, self.rows(), self.dim)
    }

    /// # Errors
    ///
    /// When rows are not of `dim` values, or a map is not of `size`.
    pub(crate) fn expect(
        &self,
        what: &str,
        dim: usize,
        size: Option<(usize, usize)>,
    ) -> Result<()> {
        let tokens = size.map_or(self.tokens, |(height, width)| height * width);
        if self.dim != dim || self.tokens != tokens || tokens == 0 {
            bail!(
                "{what}: x {:?} is not {tokens} tokens of {dim}",
                (self.batch, self.tokens, self.dim)
            );
        }
        Ok(())
    }
}
