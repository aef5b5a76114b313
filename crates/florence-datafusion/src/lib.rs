#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "ballista")]
pub mod cluster;
mod counts;
mod engine;
mod function;
mod model;
mod options;
mod read;
mod session;
mod stores;
mod table;

pub use counts::Counts;
pub use function::functions;
pub use options::{FlorenceOptions, ReadFailure};
pub use session::{configure, context, register, runtime_env};
pub use table::{ImagesFactory, ImagesTable};
