//! The CPU kernels, in three layers.
//!
//! [`simd`] has the vectors of each instruction set and the functions on them; [`gemm`] the matrix
//! product and the packed formats of weights; the other files are layers, most of them half a
//! transformer block fused into one pass over memory. [`backend`] implements
//! [`Backend`](super::Backend) with them. Every layer is tested against its form in
//! [`candle`](super::candle), on every instruction set.
#![allow(unsafe_code)]

mod activations;
mod attention;
mod backend;
mod channel_attention;
mod cross_attention;
mod depthwise;
mod gemm;
mod kv_cache;
mod layer_norm;
mod linear;
mod logits;
mod mlp;
mod patch_embed;
mod pool;
mod scratch;
mod self_attention;
mod simd;
mod threads;
mod window_attention;

pub(crate) use activations::Activations;
pub(crate) use backend::Cpu;
use channel_attention::channel_attention;
pub(crate) use cross_attention::{EncoderKv, ImageKv, cross_attention};
pub(crate) use depthwise::Depthwise;
pub(crate) use gemm::Rows;
pub(crate) use kv_cache::{KvCache, LayerCache};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::Linear;
pub(crate) use patch_embed::patch_embed;
pub(crate) use pool::{BusyWait, Generating, in_pool};
pub(crate) use self_attention::self_attention;
pub(crate) use simd::{Activation, Isa};
use window_attention::window_attention;
