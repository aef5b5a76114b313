//! Exponential, error function and GELU, accurate to a few units in the last
//! place of `f32`.
//!
//! The polynomials are minimax fits of this project (weighted least squares on
//! Chebyshev nodes, 40 digits); their own errors are below 4e-9.

use super::Simd;

/// `c[0] + c[1]·x + c[2]·x² + …`
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::F, c: [f32; N]) -> S::F {
    let mut sum = simd.splat(c[N - 1]);
    let mut at = N - 1;
    while at > 0 {
        at -= 1;
        sum = simd.mul_add(sum, x, simd.splat(c[at]));
    }
    sum
}

/// e to the power of `x`: 0 below -87, NaN for NaN, and `e^88` above 88.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::F) -> S::F {
    const LOWEST: f32 = -87.0;
    /// ln 2 in two parts: the first has so few bits that its products are exact.
    const LN2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    // (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2
    const REST: [f32; 5] = [
        0.5,
        0.166_665_2,
        0.041_666_206,
        8.368_888e-3,
        1.395_048_6e-3,
    ];
    let bounded = simd.max(simd.splat(LOWEST), simd.min(simd.splat(88.0), x));
    let n = simd.round(simd.mul(bounded, simd.splat(std::f32::consts::LOG2_E)));
    let r = simd.mul_add(n, simd.splat(-LN2.0), bounded);
    let r = simd.mul_add(n, simd.splat(-LN2.1), r);
    let rest = polynomial(simd, r, REST);
    let power = simd.mul_add(simd.mul(r, r), rest, r);
    let power = simd.add(power, simd.splat(1.0));
    let value = simd.mul(power, simd.power_of_two(n));
    simd.if_less(x, simd.splat(LOWEST), simd.splat(0.0), value)
}

/// The error function, to within 1.3e-7.
#[inline(always)]
pub(crate) fn erf<S: Simd>(simd: S, x: S::F) -> S::F {
    // log₂(1 - erf(x)) for 0 ≤ x ≤ 4; beyond, 1 - erf(x) is below half a unit in
    // the last place of 1
    const LOG: [f32; 10] = [
        3.101_102_5e-9,
        -1.627_907_4,
        -0.918_441_65,
        -0.148_313_43,
        0.027_737_359,
        6.774_466_6e-5,
        -2.261_563_7e-3,
        8.423_267e-4,
        -1.515_616e-4,
        1.146_833_1e-5,
    ];
    // 2^r for |r| ≤ 1/2
    const POWER: [f32; 7] = [
        1.0,
        std::f32::consts::LN_2,
        0.240_226_52,
        0.055_503_27,
        9.617_995e-3,
        1.340_043_1e-3,
        1.547_801_8e-4,
    ];
    let size = simd.min(simd.splat(4.0), simd.abs(x));
    let log = polynomial(simd, size, LOG);
    let n = simd.round(log);
    let power = polynomial(simd, simd.sub(log, n), POWER);
    let rest = simd.mul(power, simd.power_of_two(n));
    simd.copy_sign(simd.sub(simd.splat(1.0), rest), x)
}

/// The activation after the sums of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Gelu,
}

impl Activation {
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, x: S::F) -> S::F {
        match self {
            Self::None => x,
            Self::Gelu => gelu(simd, x),
        }
    }
}

/// `x·Φ(x)`, the exact form of GELU.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(simd: S, x: S::F) -> S::F {
    let erf = erf(
        simd,
        simd.mul(x, simd.splat(std::f32::consts::FRAC_1_SQRT_2)),
    );
    let half = simd.mul(x, simd.splat(0.5));
    simd.mul_add(half, erf, half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::simd::{Isa, Kernel};

    #[derive(Clone, Copy)]
    enum Which {
        Exp,
        Erf,
        Gelu,
    }

    struct Each<'a>(Which, &'a [f32]);

    impl Kernel for Each<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut out = vec![0.0; self.1.len()];
            for at in (0..out.len()).step_by(S::LANES) {
                // SAFETY: the tests give multiples of 16 values.
                unsafe {
                    let x = simd.load(self.1.as_ptr().add(at));
                    let y = match self.0 {
                        Which::Exp => exp(simd, x),
                        Which::Erf => erf(simd, x),
                        Which::Gelu => gelu(simd, x),
                    };
                    simd.store(out.as_mut_ptr().add(at), y);
                }
            }
            out
        }
    }

    fn grid(from: f32, to: f32) -> Vec<f32> {
        let n = 1 << 16;
        (0..n)
            .map(|i| from + (to - from) * i as f32 / (n - 1) as f32)
            .collect()
    }

    /// The error function by its series, in `f64`; for |x| ≤ 4.
    fn slow_erf(x: f64) -> f64 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-18 {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let x = grid(-87.0, 88.0);
        for isa in Isa::all() {
            for (x, y) in x.iter().zip(isa.run(Each(Which::Exp, &x))) {
                let right = f64::from(*x).exp();
                let off = (f64::from(y) / right - 1.0).abs();
                assert!(off < 2.4e-7, "{isa:?}: exp({x}) = {y}, off by {off:e}");
            }
        }
    }

    #[test]
    fn exp_at_the_ends() {
        let x = [
            f32::NEG_INFINITY,
            -1e30,
            -87.1,
            f32::NAN,
            0.0,
            1e9,
            f32::INFINITY,
            1.0,
        ];
        for isa in Isa::all() {
            let y = isa.run(Each(Which::Exp, &[x, x].concat()));
            assert_eq!(y[..3], [0.0; 3], "{isa:?}");
            assert!(y[3].is_nan() && y[4] == 1.0 && y[5].is_finite() && y[5] > 1e38);
            assert_eq!(y[5], y[6]);
        }
    }

    #[test]
    fn erf_is_within_three_units_in_the_last_place() {
        let x = grid(-4.0, 4.0);
        for isa in Isa::all() {
            for (x, y) in x.iter().zip(isa.run(Each(Which::Erf, &x))) {
                let off = (f64::from(y) - slow_erf(f64::from(*x))).abs();
                assert!(off < 1.6e-7, "{isa:?}: erf({x}) = {y}, off by {off:e}");
            }
        }
    }

    #[test]
    fn gelu_is_that_of_f64() {
        let x = grid(-5.6, 5.6);
        for isa in Isa::all() {
            for (x, y) in x.iter().zip(isa.run(Each(Which::Gelu, &x))) {
                let wide = f64::from(*x);
                let right = 0.5 * wide * (1.0 + slow_erf(wide * std::f64::consts::FRAC_1_SQRT_2));
                let off = (f64::from(y) - right).abs();
                assert!(
                    off < 2e-7 * wide.abs().max(1.0),
                    "{isa:?}: gelu({x}) = {y}, off by {off:e}"
                );
            }
            let far = isa.run(Each(
                Which::Gelu,
                &[1e4, -1e4, 1e30, -1e30, 0.0, -0.0, 20.0, -20.0].repeat(2),
            ));
            assert_eq!(far[..8], [1e4, 0.0, 1e30, 0.0, 0.0, 0.0, 20.0, 0.0]);
        }
    }
}
