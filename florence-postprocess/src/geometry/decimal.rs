//! Coordinates as decimals.

/// The shortest decimal that gives the same `f32`, as an `f64`: the number that a reader of JSON sees
/// where the coordinate is written.
///
/// # Example
///
/// ```
/// use florence_postprocess::decimal;
///
/// assert_eq!(f64::from(2.7_f32), 2.700000047683716);
/// assert_eq!(decimal(2.7), 2.7);
/// ```
pub fn decimal(value: f32) -> f64 {
    let wide = f64::from(value);
    let whole = wide.fract() == 0.0 && wide.abs() < 16_777_216.0;
    if whole || !wide.is_finite() {
        return wide;
    }
    value.to_string().parse().unwrap_or(wide)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_the_ones_of_their_spelling() {
        assert_eq!(decimal(2.7), 2.7);
        assert_eq!(decimal(34.88), 34.88);
        assert_eq!(decimal(640.0), 640.0);
        assert_eq!(decimal(1e-40), 1e-40);
        assert_eq!(decimal(3e38), 3e38);
        assert!(decimal(f32::NAN).is_nan());
        assert_eq!(decimal(f32::INFINITY), f64::INFINITY);
    }
}
