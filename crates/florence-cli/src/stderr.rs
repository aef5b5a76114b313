//! Messages on stderr.

use std::fmt::Display;
use std::io::{Write, stderr};

use clap::builder::styling::{AnsiColor, Style};

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a message to stderr. Failing to, as on a full disk or a closed terminal, is ignored.
pub(crate) fn tell(message: impl Display) {
    let _ = writeln!(stderr(), "florence: {message}");
}

/// The same for an error: colored on a terminal, unless NO_COLOR is set.
pub(crate) fn tell_error(message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{ERROR}florence:{ERROR:#} {message}");
}
