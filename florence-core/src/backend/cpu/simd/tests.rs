use super::*;

/// Applies `f` to a vector of every lane.
struct Apply<F>(F, [f32; 16], [f32; 16]);

trait Binary {
    fn apply<S: Simd>(&self, simd: S, a: S::F, b: S::F) -> S::F;
}

impl<F: Binary> Kernel for Apply<F> {
    type Output = [f32; 16];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f32; 16] {
        let mut out = [0.0; 16];
        for at in (0..16).step_by(S::LANES) {
            // SAFETY: `at + LANES` is at most 16.
            unsafe {
                let a = simd.load(self.1.as_ptr().add(at));
                let b = simd.load(self.2.as_ptr().add(at));
                simd.store(out.as_mut_ptr().add(at), self.0.apply(simd, a, b));
            }
        }
        out
    }
}

macro_rules! agrees {
    ($name:ident, |$simd:ident, $a:ident, $b:ident| $fast:expr, |$x:ident, $y:ident| $slow:expr) => {
        #[test]
        fn $name() {
            struct Op;
            impl Binary for Op {
                #[inline(always)]
                fn apply<S: Simd>(&self, $simd: S, $a: S::F, $b: S::F) -> S::F {
                    $fast
                }
            }
            let a: [f32; 16] = std::array::from_fn(|i| (i as f32 - 7.3) * 1.7);
            let b: [f32; 16] = std::array::from_fn(|i| ((i * 7 % 16) as f32 - 8.0) * 0.9);
            let slow: [f32; 16] = std::array::from_fn(|i| {
                let ($x, $y) = (a[i], b[i]);
                $slow
            });
            for isa in Isa::all() {
                assert_eq!(isa.run(Apply(Op, a, b)), slow, "{isa:?}");
            }
        }
    };
}

agrees!(addition, |s, a, b| s.add(a, b), |a, b| a + b);
agrees!(subtraction, |s, a, b| s.sub(a, b), |a, b| a - b);
agrees!(product, |s, a, b| s.mul(a, b), |a, b| a * b);
agrees!(larger, |s, a, b| s.max(a, b), |a, b| a.max(b));
agrees!(smaller, |s, a, b| s.min(a, b), |a, b| a.min(b));
agrees!(magnitude, |s, a, _b| s.abs(a), |a, _b| a.abs());
agrees!(signs, |s, a, b| s.copy_sign(a, b), |a, b| a.copysign(b));
agrees!(
    choice,
    |s, a, b| s.if_less(a, b, s.splat(1.0), a),
    |a, b| if a < b { 1.0 } else { a }
);
agrees!(rounding, |s, a, _b| s.round(a), |a, _b| a.round_ties_even());
agrees!(powers, |s, a, _b| s.power_of_two(s.round(a)), |a, _b| a
    .round_ties_even()
    .exp2());

struct Reduce([f32; 16]);

impl Kernel for Reduce {
    type Output = (f32, f32);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (f32, f32) {
        // SAFETY: 16 values are at least `LANES`.
        let vector = unsafe { simd.load(self.0.as_ptr()) };
        (
            simd.sum(vector) * 16.0 / S::LANES as f32,
            simd.largest(vector),
        )
    }
}

#[test]
fn sums_and_maxima_cover_every_lane() {
    for isa in Isa::all() {
        for hot in 0..8 {
            let values: [f32; 16] = std::array::from_fn(|i| if i % 8 == hot { 3.0 } else { -1.0 });
            assert_eq!(isa.run(Reduce(values)), (2.0 * (3.0 - 7.0), 3.0), "{isa:?}");
        }
    }
}

#[test]
fn nan_propagates_as_second_operand() {
    struct Op;
    impl Binary for Op {
        #[inline(always)]
        fn apply<S: Simd>(&self, simd: S, a: S::F, b: S::F) -> S::F {
            simd.add(simd.max(a, b), simd.min(a, b))
        }
    }
    for isa in Isa::all() {
        let out = isa.run(Apply(Op, [1.0; 16], [f32::NAN; 16]));
        assert!(out.iter().all(|v| v.is_nan()), "{isa:?}");
    }
}

#[test]
fn bytes_are_those_of_each_lane() {
    struct Bytes([u8; 64]);
    impl Kernel for Bytes {
        type Output = [[f32; 16]; 4];
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            std::array::from_fn(|index| {
                let mut out = [0.0; 16];
                for at in (0..16).step_by(S::LANES) {
                    // SAFETY: `at + LANES` is at most 16.
                    unsafe {
                        let bytes = simd.load_bytes(self.0.as_ptr().add(4 * at));
                        simd.store(out.as_mut_ptr().add(at), simd.byte(bytes, index));
                    }
                }
                out
            })
        }
    }
    let bytes: [u8; 64] = std::array::from_fn(|i| (i * 37 % 256) as u8);
    for isa in Isa::all() {
        let slow = |index| std::array::from_fn(|lane| f32::from(bytes[4 * lane + index]));
        assert_eq!(isa.run(Bytes(bytes)), std::array::from_fn(slow), "{isa:?}");
    }
}

#[test]
fn rows_and_columns_change_places() {
    struct Transpose(usize);
    impl Kernel for Transpose {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            // 16 rows or fewer of 17 values become 16 rows, 18 values apart.
            let rows = self.0.min(S::LANES);
            let from: [f32; 16 * 17] = std::array::from_fn(|i| i as f32 + 1.0);
            let mut to = [f32::NAN; 16 * 18];
            // SAFETY: there are 16 rows of 17 values, and room for 16 of 18.
            unsafe { simd.transpose(from.as_ptr(), 17, rows, to.as_mut_ptr(), 18) };
            for (column, vector) in to.chunks_exact(18).take(S::LANES).enumerate() {
                for (row, value) in vector[..S::LANES].iter().enumerate() {
                    let right = if row < rows {
                        from[row * 17 + column]
                    } else {
                        0.0
                    };
                    assert_eq!(*value, right, "row {row} of {rows}, column {column}");
                }
                assert!(vector[S::LANES..].iter().all(|value| value.is_nan()));
            }
        }
    }
    for isa in Isa::all() {
        for rows in [0, 1, 6, 7, 8, 14, 16] {
            isa.run(Transpose(rows));
        }
    }
}
