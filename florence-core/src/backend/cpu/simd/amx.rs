//! Detection of the matrix unit (AMX), and the permission to use it. Products on it are in
//! [`gemm::amx`](crate::backend::cpu::gemm::amx).

use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::OnceLock;

/// Whether this CPU has the unit, and the system lets this process use it.
pub(super) fn detected() -> bool {
    static DETECTED: OnceLock<bool> = OnceLock::new();
    *DETECTED.get_or_init(|| {
        const BF16: u32 = 1 << 22;
        const TILES: u32 = 1 << 24;
        let most = __cpuid(0).eax;
        most >= 7
            && __cpuid_count(7, 0).edx & (BF16 | TILES) == BF16 | TILES
            && is_x86_feature_detected!("avx512bw")
            && allowed()
    })
}

/// Requests the tile state from Linux: it is large, and off by default.
#[cfg(target_os = "linux")]
fn allowed() -> bool {
    const REQUEST: i64 = 0x1023; // ARCH_REQ_XCOMP_PERM
    const TILE_DATA: i64 = 18; // XFEATURE_XTILEDATA
    // SAFETY: the call changes nothing but this permission.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> bool {
    false
}
