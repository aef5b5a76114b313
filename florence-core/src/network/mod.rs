//! Florence-2, written once for every backend: [`vision`] is DaViT and the
//! projector, [`text`] is BART; [`Network`] puts the two together.

#[cfg(test)]
mod gradients;
mod layers;
mod loader;
pub(crate) mod text;
pub(crate) mod vision;

use candle_core::{Result as CandleResult, Tensor};

use crate::backend::{Backend, KvCache};
use crate::checkpoint::Weights;
use crate::config::{Config, TextConfig};
use crate::error::Result;
use crate::generate::Logits;
use crate::probe::Observer;
pub(crate) use loader::LinearLayers;
use loader::Loader;
use text::{Decoder, Encoder, TokenEmbedding};
use vision::{Projector, Tower};

/// The whole network on one backend.
#[derive(Debug)]
pub(crate) struct Network<B: Backend> {
    pub(crate) backend: B,
    tower: Tower<B>,
    projector: Projector<B>,
    embedding: TokenEmbedding<B>,
    encoder: Encoder<B>,
    decoder: Decoder<B>,
    pad_token_id: u32,
    /// Its layers, for other networks of the same checkpoint.
    layers: LinearLayers<B>,
}

impl<B: Backend> Network<B> {
    /// With linear layers of `shared`, a network of the same files on the same backend, where no
    /// adapter changes them.
    pub(crate) fn load(
        backend: B,
        weights: &Weights,
        config: &Config,
        shared: Option<&LinearLayers<B>>,
    ) -> Result<Self> {
        let loader = Loader::new(&backend, shared);
        let model = weights.pp("model");
        let text = model.pp("language_model");
        let TextConfig {
            vocab_size,
            pad_token_id,
            ..
        } = config.text;
        let bias = weights.optional("final_logits_bias", &[1, vocab_size])?;
        Ok(Self {
            tower: Tower::load(&loader, &model.pp("vision_tower"), &config.vision)?,
            projector: Projector::load(
                &loader,
                &model.pp("multi_modal_projector"),
                &config.vision,
            )?,
            embedding: TokenEmbedding::load(&loader, &text, &config.text, bias)?,
            encoder: Encoder::load(&loader, &text.pp("encoder"), &config.text)?,
            decoder: Decoder::load(&loader, &text.pp("decoder"), &config.text)?,
            pad_token_id,
            layers: loader.into_layers(),
            backend,
        })
    }

    /// The layers that another network of the same checkpoint may share.
    pub(crate) fn layers(&self) -> &LinearLayers<B> {
        &self.layers
    }

    /// Normalized `pixels: (batch, 3, height, width)` to visual tokens
    /// `(batch, visual_tokens, d_model)`.
    pub(crate) fn encode_pixels(
        &self,
        pixels: &Tensor,
        observer: &mut Observer<'_>,
    ) -> CandleResult<Tensor> {
        let features = self.backend.run_tower(|| {
            let map = self.tower.forward(&self.backend, pixels, observer)?;
            self.projector.forward(&self.backend, map)
        })?;
        observer.observe(&self.backend, format_args!("projector"), &features)?;
        self.backend.output(features)
    }

    /// `[visual tokens ; prompt]`, padded to the longest prompt, through the
    /// encoder: what the decoder attends to.
    pub(crate) fn encode_prompts(
        &self,
        image_features: &Tensor,
        prompts: &[Vec<u32>],
        observer: &mut Observer<'_>,
    ) -> CandleResult<B::EncoderKv> {
        let (_, visual, _) = image_features.dims3()?;
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
        let lengths = prompts.iter().map(|prompt| visual + prompt.len());
        let lengths = lengths.collect::<Vec<_>>();
        let ids = prompts.iter().flat_map(|prompt| {
            let padding = std::iter::repeat(self.pad_token_id);
            prompt.iter().copied().chain(padding).take(longest)
        });
        let ids = ids.collect::<Vec<_>>();
        let features = self.backend.input(image_features)?;
        let prompts = self.embedding.prompts(&self.backend, &ids, longest)?;
        let x = self.backend.concat(&[&features, &prompts])?;
        let encoded = self.encoder.forward(&self.backend, x, &lengths, observer)?;
        self.decoder.encoder_kv(&self.backend, &encoded, &lengths)
    }

    /// An empty KV cache for `rows` sequences.
    pub(crate) fn kv_cache(&self, rows: usize) -> B::KvCache {
        self.decoder.kv_cache(&self.backend, rows)
    }

    /// The next `tokens` of every row, as hidden states `(rows, len, d_model)`.
    ///
    /// `tokens` holds `rows` runs of equal length `len`, one after the other.
    /// Rows are the beams of the first image, then those of the second, and so
    /// on: `rows` is a multiple of the images in `kv`.
    pub(crate) fn decode(
        &self,
        tokens: &[u32],
        rows: usize,
        cache: &mut B::KvCache,
        kv: &B::EncoderKv,
        observer: &mut Observer<'_>,
    ) -> CandleResult<B::Tensor> {
        let len = tokens.len() / rows;
        let x = self.embedding.answers(&self.backend, tokens, len)?;
        let x = self
            .decoder
            .forward(&self.backend, x, cache, kv, observer)?;
        cache.advance(len);
        Ok(x)
    }

    /// The logits after every one of `hidden`, on the device: `(rows, len, vocab)`.
    #[cfg(test)]
    pub(crate) fn scores(&self, hidden: &B::Tensor) -> CandleResult<B::Tensor> {
        self.embedding.scores(&self.backend, hidden)
    }

    /// The logits after every token of `hidden`, on the host.
    pub(crate) fn logits(&self, hidden: &B::Tensor, logits: &mut Logits) -> CandleResult<()> {
        self.embedding.logits(&self.backend, hidden, logits)
    }
}
