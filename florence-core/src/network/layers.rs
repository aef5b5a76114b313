//! Layers of the network, read from a checkpoint.

use crate::backend::{Attention, Backend, Mlp, NormAt};
use crate::checkpoint::Weights;
use crate::error::Result;

use super::loader::Loader;

/// PyTorch's default epsilon of a normalization, which the reference uses everywhere.
const EPS: f32 = 1e-5;

/// A linear layer, `weight: (outputs, inputs)` with a bias.
pub(super) fn linear<B: Backend>(
    loader: &Loader<'_, B>,
    weights: &Weights,
    inputs: usize,
    outputs: usize,
) -> Result<B::Linear> {
    stacked(loader, std::slice::from_ref(weights), inputs, outputs)
}

/// A linear layer that has a bias only when `bias` says so.
pub(super) fn linear_with<B: Backend>(
    loader: &Loader<'_, B>,
    weights: &Weights,
    (inputs, outputs): (usize, usize),
    bias: bool,
) -> Result<B::Linear> {
    if bias {
        return linear(loader, weights, inputs, outputs);
    }
    loader.linear(&[weights.get("weight", &[outputs, inputs])?], &[])
}

/// Several linear layers on the same input as one, their outputs concatenated.
pub(super) fn stacked<B: Backend>(
    loader: &Loader<'_, B>,
    parts: &[Weights],
    inputs: usize,
    outputs: usize,
) -> Result<B::Linear> {
    let matrices = parts
        .iter()
        .map(|part| part.get("weight", &[outputs, inputs]));
    let biases = parts.iter().map(|part| part.get("bias", &[outputs]));
    loader.linear(
        &matrices.collect::<Result<Vec<_>>>()?,
        &biases.collect::<Result<Vec<_>>>()?,
    )
}

/// Layer normalization over the last dimension.
pub(super) fn layer_norm<B: Backend>(
    loader: &Loader<'_, B>,
    weights: &Weights,
    dim: usize,
) -> Result<B::LayerNorm> {
    let (weight, bias) = (weights.get("weight", &[dim])?, weights.get("bias", &[dim])?);
    loader.layer_norm(&weight, &bias, EPS)
}

/// `fc1` and `fc2` below `weights`.
pub(super) fn mlp<B: Backend>(
    loader: &Loader<'_, B>,
    weights: &Weights,
    norm: B::LayerNorm,
    norm_at: NormAt,
    (dim, hidden): (usize, usize),
) -> Result<Mlp<B>> {
    let fc1 = linear(loader, &weights.pp("fc1"), dim, hidden)?;
    let fc2 = linear(loader, &weights.pp("fc2"), hidden, dim)?;
    Ok(Mlp::new(norm, norm_at, fc1, fc2)?)
}

/// BART's self-attention: queries, keys and values have separate layers, and the normalization
/// follows.
pub(super) fn self_attention<B: Backend>(
    loader: &Loader<'_, B>,
    weights: &Weights,
    dim: usize,
    heads: usize,
) -> Result<Attention<B>> {
    let attention = weights.pp("self_attn");
    let qkv = ["q_proj", "k_proj", "v_proj"].map(|name| attention.pp(name));
    Ok(Attention::new(
        layer_norm(loader, &weights.pp("self_attn_layer_norm"), dim)?,
        stacked(loader, &qkv, dim, dim)?,
        linear(loader, &attention.pp("out_proj"), dim, dim)?,
        heads,
    )?)
}
