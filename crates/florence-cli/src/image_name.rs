//! Image names in answers and messages.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::printable::one_line;

/// A path as it was given, which need not be UTF-8.
///
/// Serialized it is a key `image`, with U+FFFD for what is not UTF-8, and in that case
/// `image_bytes` beside it, the exact name in base64: its bytes on Unix, on Windows the WTF-8
/// (UTF-8 with lone surrogates) that Rust keeps of its UTF-16. Printed it is one line, without
/// control characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImageName<'a>(pub(crate) &'a Path);

impl Serialize for ImageName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("image", &self.0.to_string_lossy())?;
        if self.0.to_str().is_none() {
            let bytes = self.0.as_os_str().as_encoded_bytes();
            map.serialize_entry("image_bytes", &BASE64_STANDARD.encode(bytes))?;
        }
        map.end()
    }
}

impl fmt::Display for ImageName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0.to_string_lossy()))
    }
}
