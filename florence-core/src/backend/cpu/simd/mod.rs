//! Vectors of `f32`, so that a kernel is written once for every instruction
//! set.
//!
//! A [`Kernel`] is generic over [`Simd`]; [`Isa::run`] compiles it for the
//! instruction set at hand. Everything that a kernel calls has to be
//! `#[inline(always)]`: only so does it end up inside the function that has the
//! instruction set switched on. For the same reason a kernel must not hand
//! closures to other threads; a parallel loop calls [`Isa::run`] in each task.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod math;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use math::Activation;

use std::sync::OnceLock;

use half::{bf16, f16};

/// An instruction set's vector of `f32` and its operations. Values of the implementing types are
/// proofs that the CPU has the instructions.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// A vector.
    type F: Copy;
    /// Its length: 8 or 16.
    const LANES: usize;
    /// Rows of the register tile of a matrix product that is two vectors wide.
    const TILE_ROWS: usize;
    /// As `TILE_ROWS`, for the product of 8-bit codes.
    const Q8_TILE_ROWS: usize;
    /// Whether [`Simd::dot`] is an instruction, so that products of 8-bit codes are faster than
    /// those of floats.
    const FAST_DOT: bool;
    /// A vector of 32-bit integers, or of four times as many bytes.
    type I: Copy;

    /// The matrix unit, if there is one: products of many rows go there.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn tiles(self) -> Option<Avx512> {
        None
    }
    /// Hints that the cache line at `at` will be read; any address will do.
    fn prefetch(self, at: *const u8);
    fn splat(self, value: f32) -> Self::F;
    /// # Safety
    ///
    /// `from` must be readable for `LANES` values; it need not be aligned.
    unsafe fn load(self, from: *const f32) -> Self::F;
    /// # Safety
    ///
    /// `from` must be readable for `LANES` values; it need not be aligned.
    unsafe fn load_f16(self, from: *const f16) -> Self::F;
    /// # Safety
    ///
    /// `from` must be readable for `LANES` values; it need not be aligned.
    unsafe fn load_bf16(self, from: *const bf16) -> Self::F;
    /// # Safety
    ///
    /// `to` must be writable for `LANES` values; it need not be aligned.
    unsafe fn store(self, to: *mut f32, value: Self::F);
    /// Transposes `rows` rows of `LANES` values, `stride` values apart: writes `LANES` vectors
    /// `to_stride` values apart, in order, with zeros for the rows that are missing to `LANES`.
    ///
    /// # Safety
    ///
    /// `rows` must be at most `LANES`, the rows readable and the vectors writable.
    unsafe fn transpose(
        self,
        from: *const f32,
        stride: usize,
        rows: usize,
        to: *mut f32,
        to_stride: usize,
    );
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a·b + c`, rounded once where the instruction set can.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger; `b` where either is NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller; `b` where either is NaN.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    fn abs(self, a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign of `sign`.
    fn copy_sign(self, a: Self::F, sign: Self::F) -> Self::F;
    /// `yes` where `a < b`, `no` elsewhere.
    fn if_less(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;
    /// To the nearest integer; exact for magnitudes below 2²².
    fn round(self, a: Self::F) -> Self::F;
    /// 2 to the power of an integral `n` in -126..=127.
    fn power_of_two(self, n: Self::F) -> Self::F;
    fn sum(self, a: Self::F) -> f32;
    fn largest(self, a: Self::F) -> f32;

    fn splat_bytes(self, bytes: [i8; 4]) -> Self::I;
    /// # Safety
    ///
    /// `from` must be readable for `4·LANES` bytes; it need not be aligned.
    unsafe fn load_bytes(self, from: *const u8) -> Self::I;
    /// The initial value of [`Simd::dot`] when the bytes of all its `b` will sum to `sum`.
    fn dot_start(self, sum: i32) -> Self::I;
    /// Adds to each lane of `sums` the four products `(a - 128)·b` of its
    /// bytes, `a` unsigned and `b` signed.
    fn dot(self, sums: Self::I, a: Self::I, b: Self::I) -> Self::I;
    fn to_f32(self, a: Self::I) -> Self::F;
    /// The unsigned byte at `index` of each lane's four, the lowest first.
    fn byte(self, a: Self::I, index: usize) -> Self::F;
    /// Writes integral values in -128..=127 as bytes; others give unspecified bytes.
    ///
    /// # Safety
    ///
    /// `to` must be writable for `LANES` bytes.
    unsafe fn store_i8(self, to: *mut i8, value: Self::F);

    /// Runs a kernel as a function of its own, compiled once for each
    /// instruction set instead of into every caller.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;
}

/// The first values, as many as a vector has lanes; zeros where there are fewer.
#[inline(always)]
pub(crate) fn load_part<S: Simd>(simd: S, values: &[f32]) -> S::F {
    if values.len() >= S::LANES {
        // SAFETY: there are enough values.
        return unsafe { simd.load(values.as_ptr()) };
    }
    let mut padded = [0.0; 16];
    padded[..values.len()].copy_from_slice(values);
    // SAFETY: no vector has more than 16 lanes.
    unsafe { simd.load(padded.as_ptr()) }
}

/// Writes the vector, or as many lanes of it as fit.
#[inline(always)]
pub(crate) fn store_part<S: Simd>(simd: S, values: &mut [f32], vector: S::F) {
    if values.len() >= S::LANES {
        // SAFETY: there is enough room.
        return unsafe { simd.store(values.as_mut_ptr(), vector) };
    }
    let mut padded = [0.0; 16];
    // SAFETY: no vector has more than 16 lanes.
    unsafe { simd.store(padded.as_mut_ptr(), vector) };
    values.copy_from_slice(&padded[..values.len()]);
}

/// A computation that can be compiled for any instruction set.
pub(crate) trait Kernel {
    type Output;

    /// Must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set that this CPU has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Isa(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    #[cfg(target_arch = "x86_64")]
    Amx,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Isa {
    /// The environment variable that limits the instruction set.
    pub(crate) const LIMIT: &str = "FLORENCE_MAX_ISA";
    /// Its values, narrow to wide.
    pub(crate) const NAMES: [&str; 4] = ["portable", "avx2", "avx512", "amx"];

    /// The widest one that [`Isa::LIMIT`] allows.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let limit = std::env::var(Self::LIMIT).ok();
            let limit = limit.and_then(|name| Self::NAMES.iter().position(|n| *n == name));
            Self::all()
                .into_iter()
                .rfind(|isa| limit.is_none_or(|limit| isa.number() <= limit))
                .unwrap_or(Self(Level::Portable))
        })
    }

    /// Every one, narrow to wide; tests force each.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self(Level::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if avx2::detected() {
                all.push(Self(Level::Avx2));
            }
            if avx512::detected() {
                all.push(Self(Level::Avx512));
            }
            if avx512::detected() && amx::detected() {
                all.push(Self(Level::Amx));
            }
        }
        all
    }

    /// Its index in [`Isa::NAMES`].
    fn number(self) -> usize {
        match self.0 {
            Level::Portable => 0,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => 1,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => 2,
            #[cfg(target_arch = "x86_64")]
            Level::Amx => 3,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self.number()]
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: a level exists only where its instructions were detected.
            #[cfg(target_arch = "x86_64")]
            Level::Amx => unsafe { avx512::run(kernel, true) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512::run(kernel, false) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2::run(kernel) },
            Level::Portable => portable::run(kernel),
        }
    }
}

#[cfg(test)]
mod tests;
