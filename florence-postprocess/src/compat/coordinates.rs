//! Dequantized coordinates and the result dicts as Python values.

use super::Value;
use crate::geometry::Size;

/// Turns bins into coordinates as one of the references does.
pub(super) trait Coordinates {
    /// One coordinate from its bin and the size of a bin in pixels.
    fn value(bin: i64, per_bin: f32) -> Value;
}

/// Bin centers in `f32`, as torch computes them: `(bin + 0.5) * (side / 1000)`.
fn center(bin: i64, per_bin: f32) -> f32 {
    (bin as f32 + 0.5) * per_bin
}

/// Microsoft: the `f32` widened to a Python float.
pub(super) struct Floats;

impl Coordinates for Floats {
    fn value(bin: i64, per_bin: f32) -> Value {
        Value::Float(f64::from(center(bin, per_bin)))
    }
}

/// Transformers: `.int()`, the `f32` truncated to 32 bits.
pub(super) struct Integers;

impl Coordinates for Integers {
    fn value(bin: i64, per_bin: f32) -> Value {
        let center = center(bin, per_bin);
        // What x86 does with a float that does not fit into 32 bits.
        let fits = center > -2_147_483_904.0 && center < 2_147_483_648.0;
        Value::Int(i64::from(if fits { center as i32 } else { i32::MIN }))
    }
}

/// Bins x, y, x, y, … as a flat list of coordinates.
pub(super) fn coordinates<C: Coordinates>(
    bins: impl IntoIterator<Item = i64>,
    size: Size,
) -> Value {
    let per_bin = [size.width, size.height].map(|side| (f64::from(side) / 1000.0) as f32);
    bins.into_iter()
        .enumerate()
        .map(|(index, bin)| C::value(bin, per_bin[index % 2]))
        .collect()
}

/// A dict with these entries in this order.
pub(super) fn dict<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    Value::Dict(entries.into())
}

/// `{task: answer}`.
pub(super) fn answer(task: &str, answer: Value) -> Value {
    dict([(task, answer)])
}
