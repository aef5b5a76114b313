//! `--model`: the demo model, a folder, or a name on the hub.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use florence_core::hub;

/// Where a checkpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelName {
    /// The built-in demo model.
    Nano,
    Folder(PathBuf),
    /// `owner/name` or `owner/name@revision`.
    Hub(String),
}

impl From<OsString> for ModelName {
    /// As [`hub::locate`] understands it.
    fn from(given: OsString) -> Self {
        if given == "nano" {
            return Self::Nano;
        }
        match hub::repo_id(given.as_ref()) {
            Some(name) => Self::Hub(name.to_owned()),
            None => Self::Folder(given.into()),
        }
    }
}

/// The name for those who ask which model answers: of a folder its last part, without its path.
impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nano => f.write_str("florence-nano"),
            Self::Folder(folder) => {
                let folder = folder.canonicalize().ok();
                let name = folder.as_deref().and_then(Path::file_name);
                f.write_str(&name.unwrap_or_default().to_string_lossy())
            }
            Self::Hub(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_two_parts_is_of_the_hub_unless_there_is_such_a_folder() {
        for (given, expected) in [
            ("nano", ModelName::Nano),
            ("a/b@refs/pr/6", ModelName::Hub("a/b@refs/pr/6".into())),
            ("a/b@", ModelName::Folder("a/b@".into())),
            ("src/commands", ModelName::Folder("src/commands".into())),
        ] {
            assert_eq!(ModelName::from(OsString::from(given)), expected, "{given}");
        }
    }
}
