//! The IDCT: libjpeg's accurate integer method (`jpeg_idct_islow`), which is the
//! algorithm of Loeffler, Ligtenberg and Moschytz in fixed point with 13
//! fractional bits, of which two are kept after the first pass.
//!
//! Coefficients of damaged files can exceed 16 bits. They then wrap around or
//! saturate at the places where the SIMD code of libjpeg-turbo for x86-64 does,
//! which is what Pillow runs on these machines; its C code differs.

const CONST_BITS: u32 = 13;
const PASS1_BITS: u32 = 2;

/// Dequantizes and transforms a block. `coefficients` and `quantization` are in
/// natural order; the result is 8 rows of 8 samples.
pub(crate) fn inverse(coefficients: &[i16; 64], quantization: &[u16; 64]) -> [u8; 64] {
    let input: [i16; 64] =
        std::array::from_fn(|at| coefficients[at].wrapping_mul(quantization[at] as i16));
    let mut work = [0; 64];
    if coefficients[8..] == [0; 56] {
        // Only the first row is not zero: all rows are the same after the first pass.
        for row in work.chunks_exact_mut(8) {
            for (value, first) in row.iter_mut().zip(&input) {
                *value = first.wrapping_shl(PASS1_BITS);
            }
        }
    } else {
        for column in 0..8 {
            let line = one_dimension::<{ CONST_BITS - PASS1_BITS }>(std::array::from_fn(|i| {
                input[i * 8 + column]
            }));
            for (i, value) in line.into_iter().enumerate() {
                work[i * 8 + column] = value;
            }
        }
    }
    let mut samples = [0; 64];
    for (row, out) in work.chunks_exact(8).zip(samples.chunks_exact_mut(8)) {
        let line =
            one_dimension::<{ CONST_BITS + PASS1_BITS + 3 }>(std::array::from_fn(|i| row[i]));
        for (sample, value) in out.iter_mut().zip(line) {
            *sample = (value.clamp(-128, 127) + 128) as u8;
        }
    }
    samples
}

/// The one-dimensional transform, scaled by `sqrt(8) · 2^13`, and then descaled by
/// `DESCALE` bits.
#[inline]
fn one_dimension<const DESCALE: u32>(x: [i16; 8]) -> [i16; 8] {
    let wide = |x: i16| i32::from(x);
    // The even part.
    let (x2, x6) = (wide(x[2]), wide(x[6]));
    let low = x2 * 4433 + x6 * (4433 - 15_137); // 0.541196100, 1.847759065
    let high = x2 * (4433 + 6270) + x6 * 4433; // 0.765366865
    let sum = wide(x[0].wrapping_add(x[4])) << CONST_BITS;
    let difference = wide(x[0].wrapping_sub(x[4])) << CONST_BITS;
    let even = [sum + high, difference + low, difference - low, sum - high];

    // The odd part.
    let (z3, z4) = (wide(x[7].wrapping_add(x[3])), wide(x[5].wrapping_add(x[1])));
    let (a, b, c, d) = (wide(x[7]), wide(x[5]), wide(x[3]), wide(x[1]));
    // 1.175875602, 1.961570560, 0.390180644
    let (z3, z4) = (
        z3 * (9633 - 16_069) + z4 * 9633,
        z3 * 9633 + z4 * (9633 - 3196),
    );
    let odd = [
        // 1.501321110, 0.899976223
        (d * (12_299 - 7373) - a * 7373).wrapping_add(z4),
        // 3.072711026, 2.562915447
        (c * (25_172 - 20_995) - b * 20_995).wrapping_add(z3),
        // 2.053119869
        (b * (16_819 - 20_995) - c * 20_995).wrapping_add(z4),
        // 0.298631336
        (a * (2446 - 7373) - d * 7373).wrapping_add(z3),
    ];
    std::array::from_fn(|i| {
        let value = if i < 4 {
            even[i].wrapping_add(odd[i])
        } else {
            even[7 - i].wrapping_sub(odd[7 - i])
        };
        let value = value.wrapping_add(1 << (DESCALE - 1)) >> DESCALE;
        value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
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
        coefficients[0] = 1000;
        assert_eq!(inverse(&coefficients, &[8; 64]), [255; 64]);
        // More than any encoder writes: 64,000 wraps to -1,536 in 16 bits.
        coefficients[0] = 2000;
        assert_eq!(inverse(&coefficients, &[8; 64]), [80; 64]);
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
