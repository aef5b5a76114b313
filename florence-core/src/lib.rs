#![doc = include_str!("../README.md")]

mod backend;
pub mod checkpoint;
pub mod config;
mod device;
mod error;
mod features;
mod generate;
#[cfg(feature = "hub")]
pub mod hub;
pub mod image;
#[doc(hidden)]
pub mod kernels;
mod model;
mod network;
mod precision;
mod probe;
pub mod tokenizer;

pub use checkpoint::{Checkpoint, CheckpointBytes, Layout};
pub use config::{Config, EarlyStopping, ImagePreparation, TextConfig, VisionConfig};
pub use device::Device;
pub use error::{Error, ErrorKind, Result};
pub use features::ImageFeatures;
pub use generate::{FinishReason, Generation, GenerationConfig, LogitsProcessor};
pub use model::Florence2;
pub use precision::{LoadOptions, Precision};
pub use probe::Probe;
pub use tokenizer::{Segment, TokenKind, Tokenizer};

/// The tensor library that [`Florence2`] takes and gives tensors of.
pub use candle_core as candle;
