//! Layers shared by several operations of a backend, as plain data.

use candle_core::{Result, bail};

use super::Backend;

/// The sizes of a layer.
pub(crate) trait Dims {
    /// Values of an input row.
    fn inputs(&self) -> usize;
    /// Values of an output row.
    fn outputs(&self) -> usize;
}

/// The position of the normalization in a half block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormAt {
    /// `x + f(norm(x))`
    Input,
    /// `norm(x + f(x))`
    Output,
}

/// The feed-forward half of a block.
#[derive(Debug)]
pub(crate) struct Mlp<B: Backend> {
    pub(crate) norm: B::LayerNorm,
    pub(crate) norm_at: NormAt,
    pub(crate) fc1: B::Linear,
    pub(crate) fc2: B::Linear,
}

impl<B: Backend> Mlp<B> {
    /// # Errors
    ///
    /// When the layers do not fit together.
    pub(crate) fn new(
        norm: B::LayerNorm,
        norm_at: NormAt,
        fc1: B::Linear,
        fc2: B::Linear,
    ) -> Result<Self> {
        let dim = norm.inputs();
        if fc1.inputs() != dim || fc2.outputs() != dim || fc1.outputs() != fc2.inputs() {
            bail!(
                "mlp: layers {}→{} and {}→{} for rows of {dim}",
                fc1.inputs(),
                fc1.outputs(),
                fc2.inputs(),
                fc2.outputs()
            );
        }
        Ok(Self {
            norm,
            norm_at,
            fc1,
            fc2,
        })
    }
}

/// The self-attention half of a block: of windows, of channels (whose groups
/// are the heads) or of text.
#[derive(Debug)]
pub(crate) struct Attention<B: Backend> {
    pub(crate) norm: B::LayerNorm,
    /// Queries, keys and values side by side.
    pub(crate) qkv: B::Linear,
    pub(crate) proj: B::Linear,
    pub(crate) heads: usize,
}

impl<B: Backend> Attention<B> {
    /// # Errors
    ///
    /// When the layers do not fit together, or heads do not divide the rows.
    pub(crate) fn new(
        norm: B::LayerNorm,
        qkv: B::Linear,
        proj: B::Linear,
        heads: usize,
    ) -> Result<Self> {
        let dim = norm.inputs();
        let fit = qkv.inputs() == dim
            && qkv.outputs() == 3 * dim
            && proj.inputs() == dim
            && proj.outputs() == dim;
        if !fit || heads == 0 || !dim.is_multiple_of(heads) {
            bail!(
                "attention: layers {}→{} and {}→{}, {heads} heads, for rows of {dim}",
                qkv.inputs(),
                qkv.outputs(),
                proj.inputs(),
                proj.outputs()
            );
        }
        Ok(Self {
            norm,
            qkv,
            proj,
            heads,
        })
    }
}

/// The cross-attention half of a decoder's block.
#[derive(Debug)]
pub(crate) struct CrossAttention<B: Backend> {
    pub(crate) norm: B::LayerNorm,
    pub(crate) query: B::Linear,
    /// Keys and values of the encoder's output, side by side.
    pub(crate) keys_values: B::Linear,
    pub(crate) proj: B::Linear,
    pub(crate) heads: usize,
}

/// The square windows of a convolution: `kernel`, `stride` and zero `padding`
/// in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patches {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Patches {
    /// Number of windows along a side of `len` pixels; 0 when none fits.
    pub(crate) fn count(&self, len: usize) -> usize {
        match (len + 2 * self.padding).checked_sub(self.kernel) {
            Some(room) if self.stride > 0 => room / self.stride + 1,
            _ => 0,
        }
    }
}

/// A convolution with a normalization before or after it.
#[derive(Debug)]
pub(crate) struct PatchEmbed<B: Backend> {
    pub(crate) patches: Patches,
    /// From windows in (row, column, channel) order.
    pub(crate) conv: B::Linear,
    pub(crate) norm: B::LayerNorm,
    pub(crate) norm_at: NormAt,
}

impl<B: Backend> PatchEmbed<B> {
    /// # Errors
    ///
    /// When the layers do not fit together.
    pub(crate) fn new(
        patches: Patches,
        conv: B::Linear,
        norm: B::LayerNorm,
        norm_at: NormAt,
    ) -> Result<Self> {
        let area = patches.kernel * patches.kernel;
        let normed = |channels| match norm_at {
            NormAt::Input => channels,
            NormAt::Output => conv.outputs(),
        };
        if area == 0
            || !conv.inputs().is_multiple_of(area)
            || norm.inputs() != normed(conv.inputs() / area)
        {
            bail!(
                "patch embedding: {patches:?} with a layer {}→{} and a norm of {}",
                conv.inputs(),
                conv.outputs(),
                norm.inputs()
            );
        }
        Ok(Self {
            patches,
            conv,
            norm,
            norm_at,
        })
    }

    /// Channels of the map that goes in.
    pub(crate) fn channels(&self) -> usize {
        self.conv.inputs() / (self.patches.kernel * self.patches.kernel)
    }
}

/// The position embeddings of the last feature map.
#[derive(Debug)]
pub(crate) struct VisualPositions<B: Backend> {
    /// `(1, positions, dim - dim / 2)`
    pub(crate) columns: B::Tensor,
    /// `(1, positions, dim / 2)`
    pub(crate) rows: B::Tensor,
    /// The cosine temporal embedding, of which frame 0 is used: `(1, frames, dim)`.
    pub(crate) frames: B::Tensor,
}
