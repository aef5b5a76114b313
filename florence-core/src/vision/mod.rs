//! The vision side: pixels to the visual tokens that the text encoder reads.
//!
//! `(batch, 3, side, side)` → DaViT ([`Tower`]) → `(batch, h·w, channels)` →
//! [`Projector`] → `(batch, 1 + h·w, d_model)`.

mod block;
mod patch_embed;
mod projector;
mod tower;

pub(crate) use projector::Projector;
pub(crate) use tower::Tower;

use candle_core::Tensor;

/// A feature map, tokens-last.
#[derive(Debug, Clone)]
pub(crate) struct FeatureMap {
    /// `(batch, height·width, channels)`
    pub(crate) tokens: Tensor,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl FeatureMap {
    fn with(&self, tokens: Tensor) -> Self {
        Self { tokens, ..*self }
    }

    fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }
}
