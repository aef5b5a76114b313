//! Layers of the network, read from a checkpoint.

use crate::checkpoint::Weights;
use crate::error::Result;
use crate::ops::{Affine, Mlp, Norm, NormAt};

/// A linear layer, `weight: (out, in)` with a bias.
pub(crate) fn affine(weights: &Weights, input: usize, output: usize) -> Result<Affine> {
    affine_with(weights, input, output, true)
}

/// A linear layer that has a bias only when `bias` says so.
pub(crate) fn affine_with(
    weights: &Weights,
    input: usize,
    output: usize,
    bias: bool,
) -> Result<Affine> {
    let bias = bias
        .then(|| weights.values("bias", &[output]))
        .transpose()?;
    let weight = weights.weight(&["weight"], output, input)?;
    Ok(Affine::new(weight, bias)?)
}

/// Several linear layers on the same input as one, their outputs side by side.
pub(crate) fn stacked(
    weights: &Weights,
    names: &[&str],
    input: usize,
    output: usize,
) -> Result<Affine> {
    let mut bias = Vec::with_capacity(names.len() * output);
    for name in names {
        bias.extend(weights.pp(name).values("bias", &[output])?);
    }
    let names = names
        .iter()
        .map(|name| format!("{name}.weight"))
        .collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    Ok(Affine::new(
        weights.weight(&names, output, input)?,
        Some(bias),
    )?)
}

/// Layer normalisation over the last dimension.
pub(crate) fn norm(weights: &Weights, dim: usize) -> Result<Norm> {
    /// PyTorch's default, which the reference uses everywhere.
    const EPS: f32 = 1e-5;
    let weight = weights.values("weight", &[dim])?;
    Ok(Norm::new(weight, weights.values("bias", &[dim])?, EPS)?)
}

/// `fc1` and `fc2` below `weights`, with the exact, erf form of GELU between.
pub(crate) fn mlp(weights: &Weights, norm: Norm, norm_at: NormAt, hidden: usize) -> Result<Mlp> {
    let dim = norm.dim();
    let fc1 = affine(&weights.pp("fc1"), dim, hidden)?;
    let fc2 = affine(&weights.pp("fc2"), hidden, dim)?;
    Ok(Mlp::new(norm, norm_at, fc1, fc2)?)
}
