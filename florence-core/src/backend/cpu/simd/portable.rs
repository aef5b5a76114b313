//! 8 lanes in plain Rust, which the compiler vectorizes for the target's baseline: SSE2 on x86-64,
//! NEON on 64-bit ARM.

use half::{bf16, f16};

use super::{Kernel, Simd};

#[derive(Clone, Copy)]
struct Portable;

type Lanes = [f32; 8];

#[inline(always)]
fn zip(a: Lanes, b: Lanes, f: impl Fn(f32, f32) -> f32) -> Lanes {
    std::array::from_fn(|i| f(a[i], b[i]))
}

/// Not inlined: a register tile is as much code as the kernel that calls it at each place, and the
/// compiler would optimize it there again.
#[inline(never)]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Portable)
}

impl Simd for Portable {
    type F = Lanes;
    const LANES: usize = 8;
    const TILE_ROWS: usize = 4;
    const Q8_TILE_ROWS: usize = 2;
    const FAST_DOT: bool = false;
    type I = [i32; 8];

    #[inline(always)]
    fn prefetch(self, _at: *const u8) {}

    #[inline(always)]
    fn splat(self, value: f32) -> Lanes {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Lanes {
        // SAFETY: the caller promises 8 readable values.
        unsafe { from.cast::<Lanes>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const f16) -> Lanes {
        // SAFETY: the caller promises 8 readable values.
        unsafe { from.cast::<[f16; 8]>().read_unaligned() }.map(f16::to_f32)
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const bf16) -> Lanes {
        // SAFETY: the caller promises 8 readable values.
        unsafe { from.cast::<[bf16; 8]>().read_unaligned() }.map(bf16::to_f32)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: Lanes) {
        // SAFETY: the caller promises room for 8 values.
        unsafe { to.cast::<Lanes>().write_unaligned(value) }
    }

    #[inline(always)]
    unsafe fn transpose(
        self,
        from: *const f32,
        stride: usize,
        rows: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        for column in 0..Self::LANES {
            let vector = std::array::from_fn(|row| match row < rows {
                // SAFETY: the caller promises these rows.
                true => unsafe { *from.add(row * stride + column) },
                false => 0.0,
            });
            // SAFETY: the caller promises room for this vector.
            unsafe { self.store(to.add(column * to_stride), vector) };
        }
    }

    #[inline(always)]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        // Without the instruction, `f32::mul_add` is a slow library call.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
        } else {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
    }

    #[inline(always)]
    fn max(self, a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: Lanes, b: Lanes) -> Lanes {
        zip(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: Lanes) -> Lanes {
        a.map(f32::abs)
    }

    #[inline(always)]
    fn copy_sign(self, a: Lanes, sign: Lanes) -> Lanes {
        zip(a, sign, f32::copysign)
    }

    #[inline(always)]
    fn if_less(self, a: Lanes, b: Lanes, yes: Lanes, no: Lanes) -> Lanes {
        std::array::from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }

    #[inline(always)]
    fn round(self, a: Lanes) -> Lanes {
        // The sum has no bits for a fraction.
        const SHIFT: f32 = 12_582_912.0; // 1.5·2²³
        a.map(|a| (a + SHIFT) - SHIFT)
    }

    #[inline(always)]
    fn power_of_two(self, n: Lanes) -> Lanes {
        n.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }

    #[inline(always)]
    fn sum(self, a: Lanes) -> f32 {
        a.iter().sum()
    }

    #[inline(always)]
    fn largest(self, a: Lanes) -> f32 {
        a.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    #[inline(always)]
    fn splat_bytes(self, bytes: [i8; 4]) -> [i32; 8] {
        [i32::from_le_bytes(bytes.map(i8::cast_unsigned)); 8]
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> [i32; 8] {
        // SAFETY: the caller promises 32 readable bytes.
        unsafe { from.cast::<[[u8; 4]; 8]>().read() }.map(i32::from_le_bytes)
    }

    #[inline(always)]
    fn dot_start(self, _sum: i32) -> [i32; 8] {
        [0; 8]
    }

    #[inline(always)]
    fn dot(self, sums: [i32; 8], a: [i32; 8], b: [i32; 8]) -> [i32; 8] {
        std::array::from_fn(|lane| {
            let (a, b) = (a[lane].to_le_bytes(), b[lane].to_le_bytes());
            let products = a
                .iter()
                .zip(b)
                .map(|(&a, b)| (i32::from(a) - 128) * i32::from(b.cast_signed()));
            sums[lane] + products.sum::<i32>()
        })
    }

    #[inline(always)]
    fn to_f32(self, a: [i32; 8]) -> Lanes {
        a.map(|a| a as f32)
    }

    #[inline(always)]
    fn byte(self, a: [i32; 8], index: usize) -> Lanes {
        a.map(|lane| f32::from((lane.cast_unsigned() >> (8 * index)) as u8))
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: Lanes) {
        // SAFETY: the caller promises room for 8 bytes.
        unsafe { to.cast::<[i8; 8]>().write(value.map(|v| v as i32 as i8)) }
    }

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        run(kernel)
    }
}
