#![doc = include_str!("../README.md")]

pub mod checkpoint;
pub mod config;
mod error;
mod generate;
#[cfg(feature = "hub")]
pub mod hub;
pub mod image;
#[doc(hidden)]
pub mod kernels;
mod layers;
mod model;
mod ops;
mod pool;
mod precision;
mod probe;
mod text;
pub mod tokenizer;
mod vision;

pub use checkpoint::{Checkpoint, CheckpointBytes, Layout};
pub use config::{Config, EarlyStopping, ImagePreparation, TextConfig, VisionConfig};
pub use error::{Error, ErrorKind, Result};
pub use generate::{FinishReason, Generation, GenerationConfig, LogitsProcessor};
pub use model::Florence2;
pub use precision::{LoadOptions, Precision};
pub use probe::Probe;
pub use tokenizer::{Segment, TokenKind, Tokenizer};

/// The tensor library that [`Florence2`] takes and gives tensors of.
pub use candle_core as candle;
