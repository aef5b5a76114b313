//! The two backends that answer on the CPU.

use std::process::Command;

/// Runs all tests of this program again in a process where candle's operations run instead of the
/// kernels; nothing in that process.
pub(crate) fn again_on_candle() {
    const BACKEND: &str = "FLORENCE_BACKEND";
    if std::env::var_os(BACKEND).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        assert!(again.env(BACKEND, "candle").status().unwrap().success());
    }
}
