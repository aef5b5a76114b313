//! The files and folders that the call itself writes, which are not among its images.

use std::fs;
use std::path::{Path, PathBuf};

/// Those that exist.
pub(super) struct Own(Vec<PathBuf>);

impl Own {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let paths = paths.iter().filter_map(|path| fs::canonicalize(path).ok());
        Self(paths.collect())
    }

    /// Whether a path is one of them.
    pub(super) fn has(&self, path: &Path) -> bool {
        !self.0.is_empty() && fs::canonicalize(path).is_ok_and(|path| self.0.contains(&path))
    }

    /// Whether a path is one of them or in one, as far as this is below `base`.
    pub(super) fn has_below(&self, base: &Path, path: &Path) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let base = if base == Path::new("") {
            Path::new(".")
        } else {
            base
        };
        let (Ok(base), Ok(path)) = (fs::canonicalize(base), fs::canonicalize(path)) else {
            return false;
        };
        let mut places = path.ancestors().take_while(|place| *place != base);
        places.any(|place| self.0.iter().any(|own| own == place))
    }
}
