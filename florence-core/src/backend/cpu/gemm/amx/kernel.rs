//! The micro-kernel for tiles, in inline assembly: Rust's intrinsics for the matrix unit are not
//! stable.

use std::arch::asm;

use half::bf16;

use super::split::Weights;
use super::{TILE, TILE_LEN};
use crate::backend::cpu::gemm::panels::PANEL;

/// The shape of all tiles, in the format of `ldtilecfg`.
#[repr(C, align(64))]
struct Configuration([u8; 64]);

/// Configured tiles, released on drop.
pub(super) struct Configured;

impl Configured {
    pub(super) fn new() -> Self {
        const ALL: Configuration = {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            let mut tile = 0;
            while tile < 8 {
                bytes[16 + 2 * tile] = 64;
                bytes[48 + tile] = TILE as u8;
                tile += 1;
            }
            Configuration(bytes)
        };
        // SAFETY: the caller has detected the unit; no other code of this
        // thread runs while tiles hold anything.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &ALL, options(nostack, readonly)) };
        Self
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: as in `new`.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// `out = a · b` for 16 or 32 rows and 32 columns.
pub(super) struct Product {
    /// `steps` steps of the first 16 rows.
    pub(super) a: *const bf16,
    /// From there to the next 16 rows.
    pub(super) next_a: usize,
    /// `steps` steps of weights.
    pub(super) b: *const bf16,
    pub(super) steps: usize,
    /// Rows of 32 numbers.
    pub(super) out: *mut f32,
}

/// Loads a component of the weights into tiles 4 and 5.
macro_rules! weights {
    ($at:literal) => {
        concat!(
            "tileloadd tmm4, [{b} + {line} + ",
            $at,
            "]\n",
            "tileloadd tmm5, [{b} + {line} + ",
            $at,
            " + 1024]\n"
        )
    };
}

/// Multiplies a component of the first 16 rows by those, into tiles 0 and 1.
macro_rules! upper {
    ($at:literal) => {
        concat!(
            "tileloadd tmm6, [{a} + {line} + ",
            $at,
            "]\n",
            "tdpbf16ps tmm0, tmm6, tmm4\n",
            "tdpbf16ps tmm1, tmm6, tmm5\n"
        )
    };
}

/// Multiplies a component of the other 16 rows by those, into tiles 2 and 3.
macro_rules! lower {
    ($at:literal) => {
        concat!(
            "tileloadd tmm7, [{a2} + {line} + ",
            $at,
            "]\n",
            "tdpbf16ps tmm2, tmm7, tmm4\n",
            "tdpbf16ps tmm3, tmm7, tmm5\n"
        )
    };
}

/// A step of one row of tiles.
macro_rules! one {
    ($a:ident, $b:ident, $($body:expr),+) => {
        asm!(
            $($body,)+
            a = in(reg) $a,
            b = in(reg) $b,
            line = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
            options(nostack, readonly, preserves_flags)
        )
    };
}

/// A step of two rows of tiles.
macro_rules! two {
    ($self:ident, $a:ident, $b:ident, $($body:expr),+) => {
        asm!(
            $($body,)+
            a = in(reg) $a,
            a2 = in(reg) $a.wrapping_add($self.next_a),
            b = in(reg) $b,
            line = in(reg) 64usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly, preserves_flags)
        )
    };
}

impl Product {
    /// Computes `tiles` times 16 rows, with the sums in tiles 0 to 3, and calls `meanwhile` after
    /// each step.
    ///
    /// # Safety
    ///
    /// Tiles are configured, all pointers have what the fields say, and
    /// `meanwhile` does not touch tiles.
    #[inline(always)]
    pub(super) unsafe fn run<B: Weights>(&self, tiles: usize, mut meanwhile: impl FnMut()) {
        // SAFETY: the caller's promise. Between these blocks the sums stay in
        // the tiles, of which only these blocks know.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                options(nostack, nomem, preserves_flags)
            );
            for step in 0..self.steps {
                let a = self.a.add(step * B::ROW_COMPONENTS * TILE_LEN);
                let b = self.b.add(step * B::COMPONENTS * 2 * TILE_LEN);
                self.step::<B>(a, b, tiles);
                meanwhile();
            }
            asm!(
                "tilestored [{out} + {stride}], tmm0",
                "tilestored [{out} + {stride} + 64], tmm1",
                out = in(reg) self.out,
                stride = in(reg) PANEL * size_of::<f32>(),
                options(nostack, preserves_flags)
            );
            if tiles > 1 {
                asm!(
                    "tilestored [{out} + {stride} + 2048], tmm2",
                    "tilestored [{out} + {stride} + 2112], tmm3",
                    out = in(reg) self.out,
                    stride = in(reg) PANEL * size_of::<f32>(),
                    options(nostack, preserves_flags)
                );
            }
        }
    }

    /// Adds 32 columns of `a` times 32 rows of `b`. Of rows in three components, the
    /// first `3 - i` are multiplied with component number `i` of the weights.
    #[rustfmt::skip]
    #[inline(always)]
    unsafe fn step<B: Weights>(&self, a: *const bf16, b: *const bf16, tiles: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match (tiles, B::ROW_COMPONENTS, B::COMPONENTS) {
                (1, 1, _) => one!(
                    a, b,
                    weights!(0), upper!(0)
                ),
                (1, _, 1) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048)
                ),
                (1, _, 2) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048),
                    weights!(2048), upper!(0), upper!(1024)
                ),
                (1, _, _) => one!(
                    a, b,
                    weights!(0), upper!(0), upper!(1024), upper!(2048),
                    weights!(2048), upper!(0), upper!(1024),
                    weights!(4096), upper!(0)
                ),
                (_, 1, _) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0)
                ),
                (_, _, 1) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048)
                ),
                (_, _, 2) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048),
                    weights!(2048), upper!(0), lower!(0), upper!(1024), lower!(1024)
                ),
                (_, _, _) => two!(
                    self, a, b,
                    weights!(0), upper!(0), lower!(0), upper!(1024), lower!(1024), upper!(2048), lower!(2048),
                    weights!(2048), upper!(0), lower!(0), upper!(1024), lower!(1024),
                    weights!(4096), upper!(0), lower!(0)
                ),
            }
        }
    }
}
