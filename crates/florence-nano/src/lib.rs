#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// `config.json`, in the transformers-native layout.
pub static CONFIG: &[u8] = include_bytes!("../config.json");
/// `tokenizer.json`: a byte-level BPE with Florence-2's 1,024 added tokens.
pub static TOKENIZER: &[u8] = include_bytes!("../tokenizer.json");
/// `preprocessor_config.json`: the model sees 128 × 128 pixels.
pub static PREPROCESSOR_CONFIG: &[u8] = include_bytes!("../preprocessor_config.json");
/// `generation_config.json`: beam search as published checkpoints ask for it.
pub static GENERATION_CONFIG: &[u8] = include_bytes!("../generation_config.json");
/// `model.safetensors`: the weights in f16.
pub static WEIGHTS: &[u8] = include_bytes!("../model.safetensors");
