//! Dequantised coordinates and result dicts as JSON values.

use serde_json::{Map, Value};

use crate::geometry::Size;

/// Turns bins into coordinates the way one reference does.
pub(super) trait Coordinates {
    /// One coordinate from its bin and the size of a bin in pixels.
    fn value(bin: i64, per_bin: f32) -> Value;
}

/// Bin centres in `f32`, as torch computes them: `(bin + 0.5) * (side / 1000)`.
fn centre(bin: i64, per_bin: f32) -> f32 {
    (bin as f32 + 0.5) * per_bin
}

/// Microsoft: the `f32` widened to a Python float.
pub(super) struct Floats;

impl Coordinates for Floats {
    fn value(bin: i64, per_bin: f32) -> Value {
        Value::from(f64::from(centre(bin, per_bin)))
    }
}

/// Transformers: `.int()`, the `f32` truncated to 32 bits.
pub(super) struct Integers;

impl Coordinates for Integers {
    fn value(bin: i64, per_bin: f32) -> Value {
        let centre = centre(bin, per_bin);
        // What x86 does with a float that has no place in 32 bits.
        let fits = centre > -2_147_483_904.0 && centre < 2_147_483_648.0;
        Value::from(if fits { centre as i32 } else { i32::MIN })
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
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// `{task: answer}`.
pub(super) fn answer(task: &str, answer: Value) -> Value {
    let mut dict = Map::new();
    dict.insert(task.to_owned(), answer);
    Value::Object(dict)
}
