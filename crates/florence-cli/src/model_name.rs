//! `--model`: the demo model, a folder, or a name on the hub.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a checkpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelName {
    /// The built-in demo model.
    Nano,
    Folder(PathBuf),
    Hub {
        name: String,
        revision: Option<String>,
    },
}

impl From<OsString> for ModelName {
    /// A name of two parts is of the hub, unless there is such a folder.
    fn from(given: OsString) -> Self {
        if given == "nano" {
            return Self::Nano;
        }
        let hub = given
            .to_str()
            .filter(|text| !Path::new(text).exists())
            .and_then(on_hub);
        hub.unwrap_or_else(|| Self::Folder(given.into()))
    }
}

impl std::str::FromStr for ModelName {
    type Err = Infallible;

    fn from_str(given: &str) -> Result<Self, Infallible> {
        Ok(OsString::from(given).into())
    }
}

/// `owner/name`, or `owner/name@revision`.
pub(crate) fn on_hub(text: &str) -> Option<ModelName> {
    let (name, revision) = match text.split_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (text, None),
    };
    let (owner, model) = name.split_once('/')?;
    let is_name = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain)
    };
    let is_hub = is_name(owner) && is_name(model) && revision != Some("");
    is_hub.then(|| ModelName::Hub {
        name: name.to_owned(),
        revision: revision.map(str::to_owned),
    })
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
            Self::Hub {
                name,
                revision: None,
            } => f.write_str(name),
            Self::Hub {
                name,
                revision: Some(revision),
            } => write!(f, "{name}@{revision}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_a_name_of_the_hub() {
        let hub = |name: &str, revision: Option<&str>| ModelName::Hub {
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
        };
        for (given, expected) in [
            ("nano", ModelName::Nano),
            (
                "microsoft/Florence-2-base-ft",
                hub("microsoft/Florence-2-base-ft", None),
            ),
            ("a/b@refs/pr/6", hub("a/b", Some("refs/pr/6"))),
            ("./a", ModelName::Folder("./a".into())),
            ("../a", ModelName::Folder("../a".into())),
            ("a/b/c", ModelName::Folder("a/b/c".into())),
            ("a/b@", ModelName::Folder("a/b@".into())),
            ("/a", ModelName::Folder("/a".into())),
            ("florence", ModelName::Folder("florence".into())),
            // There is such a folder.
            ("src/commands", ModelName::Folder("src/commands".into())),
        ] {
            assert_eq!(ModelName::from(OsString::from(given)), expected, "{given}");
        }
    }
}
