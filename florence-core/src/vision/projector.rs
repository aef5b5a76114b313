//! From the last feature map to visual tokens of the text model's width.

use candle_core::{D, Tensor};

use super::FeatureMap;
use crate::checkpoint::Weights;
use crate::config::{FeatureSource, VisionConfig};
use crate::error::Result;
use crate::layers::norm;
use crate::ops::{self, Activation, Affine, Norm};

#[derive(Debug)]
pub(crate) struct Projector {
    /// `(positions, dim - dim / 2)`, see [`Projector::load`]
    columns: Tensor,
    /// `(positions, dim / 2)`
    rows: Tensor,
    /// The cosine temporal embedding of frame 0: `(dim)`.
    frame: Tensor,
    sources: Vec<FeatureSource>,
    projection: Affine,
    norm: Norm,
}

impl Projector {
    pub(crate) fn load(weights: &Weights, config: &VisionConfig) -> Result<Self> {
        let dim = config.last_dim();
        let positions = config.max_position_embeddings;
        let embed = weights.pp("image_position_embed");
        let frames = weights.get(
            "visual_temporal_embed.pos_idx_to_embed",
            &[config.max_temporal_embeddings, dim],
        )?;
        let projection =
            weights.weight(&["image_projection.weight"], config.projection_dim, dim)?;
        Ok(Self {
            columns: embed.get("column_embeddings.weight", &[positions, dim - dim / 2])?,
            rows: embed.get("row_embeddings.weight", &[positions, dim / 2])?,
            frame: frames.get(0)?,
            sources: config.image_feature_source.clone(),
            projection: Affine::new(projection, None)?,
            norm: norm(&weights.pp("image_proj_norm"), config.projection_dim)?,
        })
    }

    /// `(batch, h·w, dim)` to `(batch, visual_tokens, projection_dim)`. A
    /// spatial pool gives the mean over all positions, one token; for a single
    /// frame the temporal pool and the last frame are all positions as they are.
    pub(crate) fn forward(&self, map: &FeatureMap) -> candle_core::Result<Tensor> {
        let (height, width) = map.size();
        let columns = self.columns.narrow(0, 0, width)?;
        let rows = self.rows.narrow(0, 0, height)?;
        let columns = columns.unsqueeze(0)?.repeat((height, 1, 1))?;
        let rows = rows.unsqueeze(1)?.repeat((1, width, 1))?;
        let positions = Tensor::cat(&[columns, rows], D::Minus1)?.flatten(0, 1)?;
        let tokens = map
            .tokens
            .broadcast_add(&positions)?
            .broadcast_add(&self.frame)?;
        let features = self
            .sources
            .iter()
            .map(|source| match source {
                FeatureSource::SpatialAvgPool => tokens.mean_keepdim(1),
                FeatureSource::TemporalAvgPool | FeatureSource::LastFrame => Ok(tokens.clone()),
            })
            .collect::<candle_core::Result<Vec<_>>>()?;
        let features = Tensor::cat(&features, 1)?;
        let projected = ops::affine(&features, &self.projection, Activation::None)?;
        ops::layer_norm(&projected, &self.norm)
    }
}
