//! What the decoder remembers: keys and values, kept outside of the layers so
//! that one model serves many generations at once.

use candle_core::{Result, Tensor};

/// Keys and values of the decoder's own tokens, one pair a layer, each
/// `(rows, heads, steps, head_dim)`, where a row is one beam of one image.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    layers: Vec<Option<(Tensor, Tensor)>>,
    steps: usize,
}

impl Cache {
    pub(crate) fn new(layers: usize) -> Self {
        Self {
            layers: vec![None; layers],
            steps: 0,
        }
    }

    /// Number of tokens that every row has seen.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Adds one layer's keys and values, and returns all of that layer's.
    pub(super) fn append(
        &mut self,
        layer: usize,
        keys: Tensor,
        values: Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let entry = match self.layers[layer].take() {
            Some((old_keys, old_values)) => (
                Tensor::cat(&[old_keys, keys], 2)?,
                Tensor::cat(&[old_values, values], 2)?,
            ),
            None => (keys, values),
        };
        self.layers[layer] = Some(entry.clone());
        Ok(entry)
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.steps += tokens;
    }

    /// Keeps the rows `parents`, in that order: row `i` goes on from what row
    /// `parents[i]` has seen.
    pub(crate) fn reorder(&mut self, parents: &[u32]) -> Result<()> {
        let kept = parents
            .iter()
            .enumerate()
            .all(|(row, &parent)| row == parent as usize);
        for (keys, values) in self.layers.iter_mut().flatten() {
            if kept && keys.dim(0)? == parents.len() {
                continue;
            }
            let index = Tensor::from_slice(parents, parents.len(), keys.device())?;
            *keys = keys.index_select(&index, 0)?;
            *values = values.index_select(&index, 0)?;
        }
        Ok(())
    }
}

/// Keys and values of the encoder's output, projected once a question: one
/// pair a layer, each `(batch, heads, source, head_dim)`, and the mask of the
/// padded positions.
#[derive(Debug, Clone)]
pub(crate) struct CrossCache {
    pub(super) layers: Vec<(Tensor, Tensor)>,
    pub(super) mask: Option<Tensor>,
}

impl CrossCache {
    /// Keeps the images at `images`, in that order.
    pub(crate) fn keep(&mut self, images: &[u32]) -> Result<()> {
        let Some((keys, _)) = self.layers.first() else {
            return Ok(());
        };
        if keys.dim(0)? == images.len() {
            return Ok(());
        }
        let index = Tensor::from_slice(images, images.len(), keys.device())?;
        for (keys, values) in &mut self.layers {
            *keys = keys.index_select(&index, 0)?;
            *values = values.index_select(&index, 0)?;
        }
        if let Some(mask) = &mut self.mask {
            *mask = mask.index_select(&index, 0)?;
        }
        Ok(())
    }
}
