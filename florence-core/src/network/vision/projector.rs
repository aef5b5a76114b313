//! From the last feature map to visual tokens of the text model's width.

use super::FeatureMap;
use crate::backend::{Backend, VisualPositions};
use crate::checkpoint::Weights;
use crate::config::{FeatureSource, VisionConfig};
use crate::error::Result;
use crate::network::layers::{layer_norm, linear_with};
use crate::network::loader::Loader;

#[derive(Debug)]
pub(crate) struct Projector<B: Backend> {
    positions: VisualPositions<B>,
    sources: Vec<FeatureSource>,
    projection: B::Linear,
    norm: B::LayerNorm,
}

impl<B: Backend> Projector<B> {
    pub(crate) fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
    ) -> Result<Self> {
        let (dim, output) = (config.last_dim(), config.projection_dim);
        let positions = config.max_position_embeddings;
        let frames = config.max_temporal_embeddings;
        let embed = weights.pp("image_position_embed");
        let columns = embed.get("column_embeddings.weight", &[positions, dim - dim / 2])?;
        let rows = embed.get("row_embeddings.weight", &[positions, dim / 2])?;
        let frames = weights.get("visual_temporal_embed.pos_idx_to_embed", &[frames, dim])?;
        let projection = weights.pp("image_projection");
        Ok(Self {
            positions: VisualPositions {
                columns: loader.table(&columns)?,
                rows: loader.table(&rows)?,
                frames: loader.table(&frames)?,
            },
            sources: config.image_feature_source.clone(),
            projection: linear_with(loader, &projection, (dim, output), false)?,
            norm: layer_norm(loader, &weights.pp("image_proj_norm"), output)?,
        })
    }

    /// `(batch, h·w, dim)` to `(batch, visual_tokens, projection_dim)`. A
    /// spatial pool gives the mean over all positions, one token; for a single
    /// frame the temporal pool and the last frame are all positions as they are.
    pub(crate) fn forward(
        &self,
        backend: &B,
        map: FeatureMap<B>,
    ) -> candle_core::Result<B::Tensor> {
        let tokens = backend.add_visual_positions(map.x, map.size, &self.positions)?;
        let pooled = backend.mean(&tokens)?;
        let features = self.sources.iter().map(|source| match source {
            FeatureSource::SpatialAvgPool => &pooled,
            FeatureSource::TemporalAvgPool | FeatureSource::LastFrame => &tokens,
        });
        let features = backend.concat(&features.collect::<Vec<_>>())?;
        backend.normalize(backend.project(&features, &self.projection)?, &self.norm)
    }
}
