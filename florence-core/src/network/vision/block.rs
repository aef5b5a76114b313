//! A DaViT block: attention and feed-forward, each after a depthwise convolution.

use candle_core::Result as CandleResult;

use super::FeatureMap;
use crate::backend::{Attention, Backend, Mlp, NormAt};
use crate::checkpoint::Weights;
use crate::config::VisionConfig;
use crate::error::Result;
use crate::network::layers::{layer_norm, linear, linear_with, mlp};
use crate::network::loader::Loader;

/// What a block's attention runs between.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The tokens of each square window, this many a side.
    Spatial(usize),
    /// The channels of each group.
    Channel,
}

/// `x += conv1(x); x += attention(norm1(x)); x += conv2(x); x += mlp(norm2(x))`.
#[derive(Debug)]
pub(crate) struct Block<B: Backend> {
    kind: Kind,
    conv1: B::Depthwise,
    attention: Attention<B>,
    conv2: B::Depthwise,
    mlp: Mlp<B>,
}

impl<B: Backend> Block<B> {
    pub(crate) fn spatial(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
        stage: usize,
    ) -> Result<Self> {
        let kind = Kind::Spatial(config.window_size);
        let (heads, name) = (config.num_heads[stage], "window_attn");
        Self::load(loader, weights, config, stage, (kind, heads, name))
    }

    pub(crate) fn channel(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
        stage: usize,
    ) -> Result<Self> {
        let (groups, name) = (config.num_groups[stage], "channel_attn");
        Self::load(
            loader,
            weights,
            config,
            stage,
            (Kind::Channel, groups, name),
        )
    }

    fn load(
        loader: &Loader<'_, B>,
        weights: &Weights,
        config: &VisionConfig,
        stage: usize,
        (kind, heads, name): (Kind, usize, &str),
    ) -> Result<Self> {
        let (dim, hidden) = (config.embed_dim[stage], config.mlp_hidden(stage));
        let attention = weights.pp(name);
        let norm = |name| layer_norm(loader, &weights.pp(name), dim);
        let depthwise = |name| {
            let conv = weights.pp(name);
            loader.depthwise(
                &conv.get("weight", &[dim, 1, 3, 3])?,
                &conv.get("bias", &[dim])?,
            )
        };
        Ok(Self {
            kind,
            conv1: depthwise("conv1")?,
            attention: Attention::new(
                norm("norm1")?,
                linear_with(
                    loader,
                    &attention.pp("qkv"),
                    (dim, 3 * dim),
                    config.qkv_bias,
                )?,
                linear(loader, &attention.pp("proj"), dim, dim)?,
                heads,
            )?,
            conv2: depthwise("conv2")?,
            mlp: mlp(
                loader,
                &weights.pp("ffn"),
                norm("norm2")?,
                NormAt::Input,
                (dim, hidden),
            )?,
        })
    }

    pub(crate) fn forward(&self, backend: &B, map: FeatureMap<B>) -> CandleResult<FeatureMap<B>> {
        let FeatureMap { x, size } = map;
        let x = backend.depthwise_residual(x, size, &self.conv1)?;
        let x = match self.kind {
            Kind::Spatial(window) => backend.window_attention(x, size, &self.attention, window)?,
            Kind::Channel => backend.channel_attention(x, &self.attention)?,
        };
        let x = backend.depthwise_residual(x, size, &self.conv2)?;
        let x = backend.mlp(x, &self.mlp)?;
        Ok(FeatureMap { x, size })
    }
}
