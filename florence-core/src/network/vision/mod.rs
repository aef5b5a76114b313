//! The vision side: pixels to the visual tokens that the text encoder reads.
//!
//! `(batch, 3, height, width)` → DaViT ([`Tower`]) → `(batch, h·w, channels)` →
//! [`Projector`] → `(batch, 1 + h·w, d_model)`.

mod block;
mod projector;
mod tower;

pub(crate) use projector::Projector;
pub(crate) use tower::Tower;

use crate::backend::Backend;

/// A feature map, channels-last.
#[derive(Debug)]
pub(crate) struct FeatureMap<B: Backend> {
    /// `(batch, height·width, channels)`
    x: B::Tensor,
    /// `(height, width)`
    size: (usize, usize),
}
