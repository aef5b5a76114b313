//! Messages on stderr.

use std::fmt::Display;
use std::io::{Write, stderr};

/// Prints a message to stderr. Failing to, as on a full disk or a closed terminal, is ignored.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(stderr(), "florence: {message}");
}
