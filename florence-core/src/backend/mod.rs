//! Backends: the operations that the network is written in, and two implementations of them.
//!
//! An operation is half a transformer block, for that is what the CPU kernels fuse into one pass
//! over memory. [`cpu`] are those kernels; [`candle`] is the same in candle's tensor operations, on
//! any of its devices, differentiable.
//!
//! Activations are `(batch, tokens, dim)`; a feature map of height `h` and width
//! `w` is channels-last, `(batch, h·w, channels)` in row-major order, from the
//! patch embedding to the projector. They are passed by value: a backend may
//! change them in place or make new ones.

pub(crate) mod candle;
pub(crate) mod cpu;
mod layers;
#[cfg(test)]
mod testing;

pub(crate) use candle::Candle;
pub(crate) use cpu::Cpu;
pub(crate) use layers::{
    Attention, CrossAttention, Dims, Mlp, NormAt, PatchEmbed, Patches, VisualPositions,
};

use std::fmt::Debug;
use std::ops::Range;

use candle_core::{Result, Tensor};

use crate::checkpoint::Parameter;
use crate::generate::Logits;

/// The operations of the network.
pub(crate) trait Backend: Clone + Debug + Sized + Send + Sync + 'static {
    /// Activations, `(batch, tokens, dim)`.
    type Tensor: Debug + Send + Sync;
    /// `x·Wᵀ + b`; clones share their memory.
    type Linear: Dims + Clone + Debug + Send + Sync;
    /// Normalization over the last dimension.
    type LayerNorm: Dims + Debug + Send + Sync;
    /// A depthwise 3×3 convolution.
    type Depthwise: Debug + Send + Sync;
    /// Keys and values of the decoder's own tokens, in all layers.
    type KvCache: KvCache;
    /// Keys and values of the encoder's output, in all layers of the decoder.
    type EncoderKv: EncoderKv;

    // Layers from a checkpoint.

    /// The linear layers of `weights`, each `(outputs, inputs)`, on one input, their outputs
    /// concatenated; without biases these are zero.
    fn linear(&self, weights: &[Parameter], biases: &[Parameter]) -> crate::Result<Self::Linear>;
    /// A convolution `weight: (out, in, kernel, kernel)` as a linear layer on
    /// windows in (row, column, channel) order.
    fn conv(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Self::Linear>;
    /// A normalization of rows of as many values as `weight` and `bias` have.
    fn layer_norm(
        &self,
        weight: &Parameter,
        bias: &Parameter,
        eps: f32,
    ) -> crate::Result<Self::LayerNorm>;
    /// A depthwise convolution `weight: (channels, 1, 3, 3)`.
    fn depthwise(&self, weight: &Parameter, bias: &Parameter) -> crate::Result<Self::Depthwise>;
    /// Rows that are added to activations, `(1, rows, dim)`.
    fn table(&self, values: &Parameter) -> crate::Result<Self::Tensor>;

    // Activations from and to the host.

    /// Pixels `(batch, channels, height, width)` to `(batch, height·width, channels)`.
    fn channels_last(&self, pixels: &Tensor) -> Result<Self::Tensor>;
    /// Imports activations that [`Backend::output`] gave.
    fn input(&self, x: &Tensor) -> Result<Self::Tensor>;
    /// Exports activations as a tensor of the public API.
    fn output(&self, x: Self::Tensor) -> Result<Tensor>;
    /// A copy of activations, in `f32` on the host.
    fn copy(&self, x: &Self::Tensor) -> Result<Tensor>;

    // Vision.

    /// Runs the vision tower: a backend may keep what its launches need, since shapes are few.
    fn run_tower<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }
    /// `norm(conv(x))`, or `conv(norm(x))`.
    fn patch_embed(
        &self,
        x: Self::Tensor,
        size: (usize, usize),
        layer: &PatchEmbed<Self>,
    ) -> Result<Self::Tensor>;
    /// `x + conv(x)`, with zero padding of one pixel.
    fn depthwise_residual(
        &self,
        x: Self::Tensor,
        size: (usize, usize),
        conv: &Self::Depthwise,
    ) -> Result<Self::Tensor>;
    /// `x + proj(attention(qkv(norm(x))))` between the tokens of each square
    /// window of `window` tokens a side. Maps are padded with zeros after the
    /// normalization, and padding is attended to, as in the reference.
    fn window_attention(
        &self,
        x: Self::Tensor,
        size: (usize, usize),
        layer: &Attention<Self>,
        window: usize,
    ) -> Result<Self::Tensor>;
    /// The same between the channels of each of `layer.heads` groups, over all
    /// tokens: the scores are scaled by `tokens^-0.5`.
    fn channel_attention(&self, x: Self::Tensor, layer: &Attention<Self>) -> Result<Self::Tensor>;
    /// `x + [columns[x] ; rows[y]] + frame` at every position of the map.
    fn add_visual_positions(
        &self,
        x: Self::Tensor,
        size: (usize, usize),
        positions: &VisualPositions<Self>,
    ) -> Result<Self::Tensor>;
    /// The mean over the tokens, `(batch, 1, dim)`.
    fn mean(&self, x: &Self::Tensor) -> Result<Self::Tensor>;

    // Both sides.

    /// `x + fc2(gelu(fc1(norm(x))))` or `norm(x + fc2(gelu(fc1(x))))`, with the
    /// exact, erf form of GELU.
    fn mlp(&self, x: Self::Tensor, layer: &Mlp<Self>) -> Result<Self::Tensor>;
    /// `x·Wᵀ + b`
    fn project(&self, x: &Self::Tensor, layer: &Self::Linear) -> Result<Self::Tensor>;
    /// Normalized rows.
    fn normalize(&self, x: Self::Tensor, norm: &Self::LayerNorm) -> Result<Self::Tensor>;
    /// The tokens of all `parts`, one part after the other.
    fn concat(&self, parts: &[&Self::Tensor]) -> Result<Self::Tensor>;

    // Text.

    /// The rows `ids` of a layer's weight, times `scale`, in sequences of
    /// `tokens` rows.
    fn embed(
        &self,
        table: &Self::Linear,
        ids: &[u32],
        tokens: usize,
        scale: f32,
    ) -> Result<Self::Tensor>;
    /// Adds to each sequence the rows of `table` from `start` on.
    fn add_positions(
        &self,
        x: Self::Tensor,
        table: &Self::Tensor,
        start: usize,
    ) -> Result<Self::Tensor>;
    /// `norm(x + proj(attention(qkv(x))))` within each sequence, whose tokens attend to its first
    /// `lengths[i]` tokens.
    fn self_attention(
        &self,
        x: Self::Tensor,
        layer: &Attention<Self>,
        lengths: &[usize],
    ) -> Result<Self::Tensor>;
    /// An empty cache for `rows` sequences in `layers` layers.
    fn kv_cache(&self, layers: usize, rows: usize, heads: usize, dim: usize) -> Self::KvCache;
    /// As [`Backend::self_attention`], for the next tokens of sequences whose history is in layer
    /// `index` of the cache; each token attends to those before it and itself.
    fn cached_attention(
        &self,
        x: Self::Tensor,
        layer: &Attention<Self>,
        cache: &mut Self::KvCache,
        index: usize,
    ) -> Result<Self::Tensor>;
    /// Projects the encoder's output for every layer of the decoder; of sequence `i` the first
    /// `lengths[i]` tokens are real.
    fn encoder_kv<'a>(
        &self,
        encoded: &Self::Tensor,
        layers: impl Iterator<Item = &'a CrossAttention<Self>>,
        lengths: &[usize],
    ) -> Result<Self::EncoderKv>;
    /// `norm(x + proj(attention(query(x))))` to layer `index` of `kv`; equally many sequences of
    /// `x` attend to each image, in turn.
    fn cross_attention(
        &self,
        x: Self::Tensor,
        layer: &CrossAttention<Self>,
        kv: &Self::EncoderKv,
        index: usize,
    ) -> Result<Self::Tensor>;
    /// Some tokens of one sequence, as a batch of one.
    fn slice(
        &self,
        x: &Self::Tensor,
        sequence: usize,
        tokens: Range<usize>,
    ) -> Result<Self::Tensor>;
    /// For every token of `x`, the logits of the next token and their logsumexp, on the host.
    fn logits(&self, head: &Self::Linear, x: &Self::Tensor, logits: &mut Logits) -> Result<()>;
}

/// KV cache of a decoder's own tokens.
pub(crate) trait KvCache: Debug + Send {
    /// Number of cached tokens of every row.
    fn steps(&self) -> usize;
    /// Counts tokens that are now cached in all layers.
    fn advance(&mut self, tokens: usize);
    /// Keeps the rows `parents`, in that order: row `i` continues row `parents[i]`.
    fn reorder(&mut self, parents: &[u32]) -> Result<()>;
}

/// Keys and values of the encoder's output.
pub(crate) trait EncoderKv: Debug + Send {
    /// Keeps the images at `images`, which are in order.
    fn keep(&mut self, images: &[u32]) -> Result<()>;
}
