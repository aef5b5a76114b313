//! The operations that candle lacks or runs too slowly on a CPU, as custom ops.
//!
//! Everything in the vision tower is *tokens-last*: a feature map of height `h`
//! and width `w` is a tensor `(batch, h·w, channels)` in row-major order, from
//! the patch embedding to the projector, and is never transposed.

mod depthwise;
mod layer_norm;
mod patches;

pub(crate) use depthwise::depthwise3x3_residual;
pub(crate) use layer_norm::layer_norm;
pub(crate) use patches::{Patches, extract_patches};

use candle_core::{CpuStorage, Layout, Result, bail};

/// The contiguous `f32` values behind a tensor argument of the op `name`.
fn contiguous_f32<'a>(name: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{name}: every argument has to be contiguous, found {layout:?}");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}
