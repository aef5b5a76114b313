//! 16 lanes: AVX-512 with its 8-bit dot products (Ice Lake, Zen 4 and later;
//! older CPUs run the AVX2 kernels).

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::{Kernel, Simd};

/// Proof that AVX-512 is there.
#[derive(Clone, Copy)]
pub(crate) struct Avx512 {
    /// Whether the matrix unit is available and enabled.
    tiles: bool,
}

#[cfg(test)]
impl Avx512 {
    pub(crate) fn with_tiles() -> Option<Self> {
        (detected() && super::amx::detected()).then_some(Self { tiles: true })
    }
}

pub(super) fn detected() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
}

/// # Safety
///
/// AVX-512 F, DQ and VNNI must be there, and the matrix unit if `tiles`.
#[target_feature(enable = "avx512f,avx512dq,avx512vnni")]
pub(super) unsafe fn run<K: Kernel>(kernel: K, tiles: bool) -> K::Output {
    kernel.run(Avx512 { tiles })
}

// SAFETY of every intrinsic below: `self` exists only inside `run`, whose
// caller has detected the instructions; the pointers are the callers' promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx512 {
    type F = __m512;
    const LANES: usize = 16;
    /// 28 of 32 registers hold sums.
    const TILE_ROWS: usize = 14;
    const Q8_TILE_ROWS: usize = 6;
    const FAST_DOT: bool = true;
    type I = __m512i;

    #[inline(always)]
    fn tiles(self) -> Option<Avx512> {
        self.tiles.then_some(self)
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const f16) -> __m512 {
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const bf16) -> __m512 {
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
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
        unsafe {
            let row: [__m512; 16] = std::array::from_fn(|i| match i < rows {
                true => _mm512_loadu_ps(from.add(i * stride)),
                false => _mm512_setzero_ps(),
            });
            // Within quarters of four columns: pairs of rows, then four rows.
            let pairs: [__m512; 16] = std::array::from_fn(|i| match i % 2 {
                0 => _mm512_unpacklo_ps(row[i], row[i + 1]),
                _ => _mm512_unpackhi_ps(row[i - 1], row[i]),
            });
            let fours: [__m512; 16] = std::array::from_fn(|i| {
                let (low, high) = (
                    pairs[i / 4 * 4 + i % 4 / 2],
                    pairs[i / 4 * 4 + i % 4 / 2 + 2],
                );
                match i % 2 {
                    0 => _mm512_shuffle_ps::<0x44>(low, high),
                    _ => _mm512_shuffle_ps::<0xee>(low, high),
                }
            });
            // `even` has the quarters 0 and 2 of the first eight rows and of the last, `odd` 1 and 3.
            let even = |i: usize| _mm512_shuffle_f32x4::<0x88>(fours[i], fours[4 + i]);
            let odd = |i: usize| _mm512_shuffle_f32x4::<0xdd>(fours[i], fours[4 + i]);
            for column in 0..16 {
                let i = column % 4;
                let vector = match column / 4 {
                    0 => _mm512_shuffle_f32x4::<0x88>(even(i), even(8 + i)),
                    1 => _mm512_shuffle_f32x4::<0x88>(odd(i), odd(8 + i)),
                    2 => _mm512_shuffle_f32x4::<0xdd>(even(i), even(8 + i)),
                    _ => _mm512_shuffle_f32x4::<0xdd>(odd(i), odd(8 + i)),
                };
                _mm512_storeu_ps(to.add(column * to_stride), vector);
            }
        }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        unsafe { _mm512_abs_ps(a) }
    }

    #[inline(always)]
    fn copy_sign(self, a: __m512, sign: __m512) -> __m512 {
        unsafe {
            let bit = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_andnot_ps(bit, a), _mm512_and_ps(bit, sign))
        }
    }

    #[inline(always)]
    fn if_less(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes) }
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), n) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        unsafe { _mm512_reduce_add_ps(a) }
    }

    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        unsafe { _mm512_reduce_max_ps(a) }
    }

    #[inline(always)]
    fn splat_bytes(self, bytes: [i8; 4]) -> __m512i {
        unsafe { _mm512_set1_epi32(i32::from_ne_bytes(bytes.map(i8::cast_unsigned))) }
    }

    #[inline(always)]
    unsafe fn load_bytes(self, from: *const u8) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    /// The instruction does not subtract the 128.
    #[inline(always)]
    fn dot_start(self, sum: i32) -> __m512i {
        unsafe { _mm512_set1_epi32(-128 * sum) }
    }

    #[inline(always)]
    fn dot(self, sums: __m512i, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sums, a, b) }
    }

    #[inline(always)]
    fn to_f32(self, a: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(a) }
    }

    #[inline(always)]
    fn byte(self, a: __m512i, index: usize) -> __m512 {
        unsafe {
            let shifted = _mm512_srl_epi32(a, _mm_cvtsi64_si128(8 * index as i64));
            self.to_f32(_mm512_and_si512(shifted, _mm512_set1_epi32(0xff)))
        }
    }

    #[inline(always)]
    unsafe fn store_i8(self, to: *mut i8, value: __m512) {
        unsafe {
            let codes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value));
            _mm_storeu_si128(to.cast(), codes);
        }
    }

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512dq,avx512vnni")]
        unsafe fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        unsafe { compiled(self, kernel) }
    }
}
