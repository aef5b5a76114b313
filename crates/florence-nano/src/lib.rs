//! A small trained Florence-2 as bytes, for demos and tests: the published architecture at 128 × 128
//! pixels, all fifteen tasks, on synthetic scenes of colored shapes and printed words. It is **not** a
//! model of the real world: for photographs use a published checkpoint.
//!
//! `florence-tasks` loads it with `Florence::nano()`; this crate is only the data: [`CONFIG`],
//! [`TOKENIZER`], [`PREPROCESSOR_CONFIG`], [`GENERATION_CONFIG`] and [`WEIGHTS`].
//!
//! ```
//! let config = std::str::from_utf8(florence_nano::CONFIG)?;
//! assert!(config.contains("florence2"));
//! # Ok::<(), std::str::Utf8Error>(())
//! ```
//!
//! The model card, `MODEL_CARD.md` in the package, says how it was trained and evaluated.
#![forbid(unsafe_code)]

/// `config.json`, in the transformers-native layout.
pub static CONFIG: &[u8] = include_bytes!("../config.json");
/// `tokenizer.json`: a byte-level BPE with Florence-2's 1,024 added tokens.
pub static TOKENIZER: &[u8] = include_bytes!("../tokenizer.json");
/// `preprocessor_config.json`: the input has 128 × 128 pixels.
pub static PREPROCESSOR_CONFIG: &[u8] = include_bytes!("../preprocessor_config.json");
/// `generation_config.json`: beam search, as in published checkpoints.
pub static GENERATION_CONFIG: &[u8] = include_bytes!("../generation_config.json");
/// `model.safetensors`: the weights in f16.
pub static WEIGHTS: &[u8] = include_bytes!("../model.safetensors");
