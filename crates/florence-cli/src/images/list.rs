//! Lists of paths.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The paths of a file or, for `-`, of stdin: one per line, or separated by NUL.
pub(super) fn read(from: &Path) -> Result<Vec<PathBuf>, Failure> {
    let about = |problem: String| Failure::Input(format!("--from {}: {problem}", from.display()));
    let mut bytes = Vec::new();
    let read = if from == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(from).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| about(format!("the list cannot be read: {error}")))?;
    split(&bytes)
        .map(|path| {
            path_of(path)
                .ok_or_else(|| about(format!("not UTF-8: {:?}", String::from_utf8_lossy(path))))
        })
        .collect()
}

fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    let paths = bytes.split(move |byte| *byte == separator);
    let paths = paths.map(move |path| match separator {
        b'\n' => path.strip_suffix(b"\r").unwrap_or(path),
        _ => path,
    });
    paths.filter(|path| !path.is_empty())
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_nul_separate() {
        let paths = |text: &[u8]| split(text).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(paths(b"a.png\r\nb c.png\n\n"), [&b"a.png"[..], b"b c.png"]);
        assert_eq!(paths(b"a\nb.png\0c.png\0"), [&b"a\nb.png"[..], b"c.png"]);
        assert!(paths(b"").is_empty());
    }
}
