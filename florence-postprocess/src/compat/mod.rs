//! The two reference post-processors, reproduced result for result (feature `compat`).
//!
//! Microsoft publishes a Python file beside its checkpoints; the `transformers` library has its own
//! port. They agree on most answers and differ on edge cases, and programs depend on the dicts of
//! either. [`microsoft::post_process`] and [`transformers::post_process`] return those dicts as
//! [`Value`]s: the same keys in the same order, the floats of the one (`f32` arithmetic, widened to
//! `f64`), the truncated integers of the other, and the quirks of both.
//!
//! For new programs [`parse`](crate::parse()) is better: it keeps what both processors lose.
//!
//! # Where the references fail
//!
//! The references raise an exception for `<loc_N>` with an `N` above `i64::MAX`. These functions
//! are total: the number saturates.

mod coordinates;
mod number;
mod phrase;
mod polygon;
mod python;
mod quad;
mod task;
mod value;

pub mod microsoft;
pub mod transformers;

pub use python::to_python_json;
pub use value::Value;
