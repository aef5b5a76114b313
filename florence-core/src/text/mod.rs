//! The text side: BART's encoder over visual tokens and prompt, and its
//! decoder with a memory.

mod cache;
mod decoder;
mod embedding;
mod encoder;

pub(crate) use cache::{Cache, CrossCache};
pub(crate) use decoder::Decoder;
pub(crate) use embedding::TokenEmbedding;
pub(crate) use encoder::Encoder;
