//! The text side, BART: an encoder over visual tokens and prompt, and a decoder with a KV cache.

mod decoder;
mod embedding;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use embedding::TokenEmbedding;
pub(crate) use encoder::Encoder;
