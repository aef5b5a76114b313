//! The two published post-processors, reproduced result for result.
//!
//! Microsoft ships a Python file beside its checkpoints; the `transformers` library has its own
//! port. They agree on most answers and differ on the odd ones, and programs that were written
//! against either of them depend on its dicts. [`microsoft::post_process`] and
//! [`transformers::post_process`] give those dicts as JSON values: the same keys in the same
//! order, the floats of the one (`f32` arithmetic, widened to `f64`), the truncated integers of
//! the other, and the quirks of both.
//!
//! For anything new use [`parse`](crate::parse()) instead: it keeps what both processors lose.
//!
//! # Where the references fail
//!
//! The references raise an exception for `<loc_N>` with an `N` above `i64::MAX`. These functions
//! are total: the number saturates.

mod phrase;
mod polygon;
mod python;
mod quad;
mod task;
mod value;

pub mod microsoft;
pub mod transformers;

pub use python::to_python_json;
