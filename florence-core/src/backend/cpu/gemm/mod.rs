//! Matrix products: `f32` rows with weights in the narrowest type that holds them exactly, or both
//! quantized to 8 bits, on vectors or on the matrix unit.

mod aligned;
#[cfg(target_arch = "x86_64")]
pub(super) mod amx;
mod matrix;
mod panels;
mod product;
mod q8;
mod register_tile;
mod tiled_rows;
mod weight;

pub(crate) use aligned::Aligned;
pub(crate) use matrix::{Rows, RowsMut};
pub(crate) use panels::{PANEL, Panels};
pub(crate) use product::accumulate;
pub(crate) use weight::{Input, InputScratch, TaskRows, Weight};
