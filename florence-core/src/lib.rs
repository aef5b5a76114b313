//! The Florence-2 network on [candle](https://github.com/huggingface/candle): DaViT, projector and BART,
//! with checkpoints, tokenizer, image preparation, greedy and beam search. Tested against Hugging Face
//! `transformers` activation by activation and token by token.
//!
//! It knows no tasks: prompts go in as token ids, answers come out as token ids with their
//! log-probabilities. For captions, boxes and text use
//! [`florence-tasks`](https://docs.rs/florence-tasks), which is built on this crate.
//!
//! ```
//! use florence_core::image::prepare;
//! use florence_core::{Checkpoint, Florence2};
//!
//! // A tiny random checkpoint; for real use "Florence-2-base-ft" and `image::load_image`.
//! let florence = Florence2::load(Checkpoint::from_dir("tests/goldens/plain")?)?;
//! let image = image::RgbImage::new(120, 80);
//!
//! let pixels = prepare(&[&image], &florence.config().image)?;
//! let features = florence.encode_pixels(&pixels)?; // encode once, ask many
//! let prompt = florence.tokenizer().encode("What does the image describe?")?;
//! let config = florence.generation_config().max_new_tokens(16);
//!
//! let answers = florence.generate(&features, &[prompt], &config)?;
//! assert_eq!(answers.len(), 1);
//! assert_eq!(answers[0].logprobs.len(), answers[0].token_ids.len() - 1);
//! let text = florence.tokenizer().decode(&answers[0].token_ids);
//! assert!(text.starts_with("</s>"));
//! # Ok::<(), florence_core::Error>(())
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | [`checkpoint`] | [`Checkpoint`]: safetensors, shards and PyTorch files of both published layouts; names, shapes and types are checked before anything is computed; LoRA adapters ([`Checkpoint::with_adapter`]) |
//! | [`config`] | [`Config`], one for both layouts; errors name the key and what is expected |
//! | [`tokenizer`] | [`Tokenizer`], with Florence-2's 1,024 added tokens; user text can stay text ([`Segment`]) |
//! | [`image`] | decoding with limits, RGB of every mode, Pillow's resize, normalization |
//! | `hub` (feature) | downloads by name, with cache, revision and offline mode |
//!
//! [`Florence2`] is the network: [`encode_pixels`](Florence2::encode_pixels),
//! [`generate`](Florence2::generate) with a [`GenerationConfig`] and [`LogitsProcessor`]s,
//! [`score`](Florence2::score) for the log-probabilities of given answers. [`Error::kind`] says whether
//! the checkpoint, the image, the arguments, the file system or the device is at fault.
//!
//! # Threads
//!
//! Everything takes `&self`, and the state of a generation lives in its call: one model serves any
//! number of threads. On the CPU, work runs in the rayon pool of the caller; see
//! [`Florence2`](Florence2#threads).
//!
//! # Backends
//!
//! [`LoadOptions`] chooses the [`Device`] and the [`Precision`], and adds LoRA adapters. On the CPU the network runs on kernels
//! of this crate, for the widest instruction set that is available
//! ([`Florence2::instruction_set`], limited by the environment variable `FLORENCE_MAX_ISA`); on other
//! devices on candle's operations. The environment variable `FLORENCE_BACKEND=candle` uses candle on
//! the CPU too, for comparison.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `hub`: `Checkpoint::from_hub`, downloads by name.
//! - `serde`: `Serialize` and `Deserialize` on options, notes and results.
//! - `cuda`, `cudnn`: run on NVIDIA GPUs, with cuDNN. Needs the CUDA toolkit.
//! - `metal`: run on Apple GPUs.
//! - `bmp`, `gif`, `tiff`, `webp`: image formats beside PNG and JPEG, with Pillow's pixels.

#![cfg_attr(docsrs, feature(doc_cfg))]

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

pub use checkpoint::{Checkpoint, CheckpointBytes, CheckpointOptions, Layout};
pub use config::{Config, EarlyStopping, ImagePreparation, InputSize, TextConfig, VisionConfig};
pub use device::Device;
pub use error::{Error, ErrorKind, Result};
pub use features::ImageFeatures;
pub use generate::{FinishReason, Generation, GenerationConfig, LogitsProcessor};
pub use model::Florence2;
pub use precision::{LoadOptions, Precision};
pub use probe::Probe;
pub use tokenizer::{Segment, TokenKind, Tokenizer};

/// The tensor library, whose tensors [`Florence2`] takes and returns.
pub use candle_core as candle;
