//! The inverse cosine transform in whole numbers, rounded as libjpeg's accurate
//! one (`jpeg_idct_islow`): Loeffler, Ligtenberg and Moschytz's flow graph with
//! 13 bits behind the point, two of which survive the first pass.

use std::num::Wrapping;

const CONST_BITS: usize = 13;
const PASS1_BITS: usize = 2;

/// Damaged files may overflow; what comes out then does not matter.
type Number = Wrapping<i32>;

/// `coefficients` and `quantization` in natural order; 8 rows of 8 samples.
pub(super) fn inverse(coefficients: &[i16], quantization: &[u16; 64]) -> [u8; 64] {
    let mut work = [Wrapping(0); 64];
    for column in 0..8 {
        let input: [Number; 8] = std::array::from_fn(|i| {
            let at = i * 8 + column;
            Wrapping(i32::from(coefficients[at])) * Wrapping(i32::from(quantization[at]))
        });
        // Most columns of a photo are constant: the same result at once.
        let output = if input[1..] == [Wrapping(0); 7] {
            [input[0] << PASS1_BITS; 8]
        } else {
            one_dimension(input).map(|value| descale(value, CONST_BITS - PASS1_BITS))
        };
        for (i, value) in output.into_iter().enumerate() {
            work[i * 8 + column] = value;
        }
    }
    let mut samples = [0; 64];
    for (row, out) in work.chunks_exact(8).zip(samples.chunks_exact_mut(8)) {
        let input = std::array::from_fn(|i| row[i]);
        for (sample, value) in out.iter_mut().zip(one_dimension(input)) {
            let level = descale(value, CONST_BITS + PASS1_BITS + 3) + Wrapping(128);
            *sample = level.0.clamp(0, 255) as u8;
        }
    }
    samples
}

fn descale(value: Number, bits: usize) -> Number {
    (value + Wrapping(1 << (bits - 1))) >> bits
}

/// Eight values to eight, scaled up by `sqrt(8) · 2^13`.
fn one_dimension(x: [Number; 8]) -> [Number; 8] {
    // The even part.
    let z = (x[2] + x[6]) * Wrapping(4433); // 0.541196100
    let low = z - x[6] * Wrapping(15_137); // 1.847759065
    let high = z + x[2] * Wrapping(6270); // 0.765366865
    let sum = (x[0] + x[4]) << CONST_BITS;
    let difference = (x[0] - x[4]) << CONST_BITS;
    let even = [sum + high, difference + low, difference - low, sum - high];

    // The odd part.
    let (a, b, c, d) = (x[7], x[5], x[3], x[1]);
    let z5 = (a + c + b + d) * Wrapping(9633); // 1.175875602
    let z1 = (a + d) * Wrapping(-7373); // 0.899976223
    let z2 = (b + c) * Wrapping(-20_995); // 2.562915447
    let z3 = (a + c) * Wrapping(-16_069) + z5; // 1.961570560
    let z4 = (b + d) * Wrapping(-3196) + z5; // 0.390180644
    let odd = [
        d * Wrapping(12_299) + z1 + z4, // 1.501321110
        c * Wrapping(25_172) + z2 + z3, // 3.072711026
        b * Wrapping(16_819) + z2 + z4, // 2.053119869
        a * Wrapping(2446) + z1 + z3,   // 0.298631336
    ];
    std::array::from_fn(|i| {
        if i < 4 {
            even[i] + odd[i]
        } else {
            even[7 - i] - odd[7 - i]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_block_is_its_mean() {
        let mut coefficients = [0; 64];
        coefficients[0] = 10;
        assert_eq!(inverse(&coefficients, &[8; 64]), [138; 64]);
        coefficients[0] = 2000;
        assert_eq!(inverse(&coefficients, &[8; 64]), [255; 64]);
        inverse(&[i16::MIN; 64], &[u16::MAX; 64]);
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut state = 1u32;
        let coefficients: [i16; 64] = std::array::from_fn(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as i16 % 40 / (1 + i as i16 / 8) - 5
        });
        let ours = inverse(&coefficients, &[3; 64]);
        for (at, sample) in ours.into_iter().enumerate() {
            let (y, x) = (at / 8, at % 8);
            let mut exact = 128.0;
            for v in 0..8 {
                for u in 0..8 {
                    let c = |n: usize| if n == 0 { 0.5f64.sqrt() } else { 1.0 };
                    let wave = |n: usize, at: usize| {
                        (((2 * at + 1) * n) as f64 * std::f64::consts::PI / 16.0).cos()
                    };
                    let coefficient = f64::from(coefficients[v * 8 + u]) * 3.0;
                    exact += c(u) * c(v) / 4.0 * coefficient * wave(u, x) * wave(v, y);
                }
            }
            let exact = exact.clamp(0.0, 255.0);
            assert!(
                (f64::from(sample) - exact).abs() < 1.0,
                "{at}: {sample} {exact}"
            );
        }
    }
}
