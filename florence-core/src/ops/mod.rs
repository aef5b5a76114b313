//! The operations that candle lacks or runs too slowly on a CPU, as custom ops.
//!
//! Everything in the vision tower is *tokens-last*: a feature map of height `h`
//! and width `w` is a tensor `(batch, h·w, channels)` in row-major order, from
//! the patch embedding to the projector, and is never transposed.
//!
//! From the bottom up: [`simd`] are the vectors and [`math`] is functions of
//! them; [`panels`] and [`codes`] are the two layouts of a weight, each with its
//! matrix product; [`affine`] is a layer with such a weight; the rest are whole
//! halves of transformer blocks. A kernel works on slices; the function of the
//! same name is its candle op (in place where it adds to its argument), and the `slow` one in its tests is the readable
//! form that it is held to, on every instruction set.
#![allow(unsafe_code)]

mod affine;
mod aligned;
#[cfg(target_arch = "x86_64")]
mod amx;
mod attention;
mod channel_attention;
mod codes;
mod cross_attention;
mod depthwise;
mod layer_norm;
mod logits;
mod math;
mod matrix;
mod mlp;
mod panels;
mod past;
mod patch_embed;
mod scratch;
mod self_attention;
mod simd;
mod split;
#[cfg(test)]
mod testing;
mod weight;
mod window_attention;

pub(crate) use affine::{Affine, affine};
pub(crate) use channel_attention::{ChannelAttention, channel_attention};
pub(crate) use cross_attention::{Source, cross_attention};
pub(crate) use depthwise::{Depthwise, depthwise3x3_residual};
pub(crate) use layer_norm::{Norm, layer_norm, rows_in_place};
pub(crate) use logits::logits;
pub(crate) use math::Activation;
pub(crate) use matrix::Rows;
pub(crate) use mlp::{Mlp, NormAt, mlp};
pub(crate) use past::{Move, Past};
pub(crate) use patch_embed::{PatchEmbed, Patches, patch_embed};
pub(crate) use self_attention::self_attention;
pub(crate) use simd::Isa;
pub(crate) use weight::Weight;
pub(crate) use window_attention::{WindowAttention, window_attention};

use candle_core::{CpuStorage, Layout, Result, bail};

/// The contiguous `f32` values behind a tensor argument of the op `name`.
fn contiguous_f32<'a>(name: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{name}: every argument has to be contiguous, found {layout:?}");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// As [`contiguous_f32`], to change.
fn contiguous_f32_mut<'a>(
    name: &str,
    storage: &'a mut CpuStorage,
    layout: &Layout,
) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("{name}: x has to be contiguous and f32, found {layout:?}"),
    }
}

/// Whether layers make up an attention of `heads` heads over rows of `norm`.
fn check_attention(norm: &Norm, qkv: &Affine, proj: &Affine, heads: usize) -> Result<()> {
    let dim = norm.dim();
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
    Ok(())
}
