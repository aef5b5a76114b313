#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod api;

mod engine;
mod error;
mod hosts;
mod limits;
mod metrics;
mod page;
mod photo;
mod question;
mod server;
mod truncate;
mod upload;

pub use limits::Limits;
pub use server::{ServeError, Server};
