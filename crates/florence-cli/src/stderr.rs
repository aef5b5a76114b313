//! What the command says beside its answers.

use std::fmt::Display;
use std::io::{Write, stderr};

/// Says something on stderr. Where nobody can hear it, as on a full disk or a closed terminal, the
/// work goes on.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(stderr(), "florence: {message}");
}
