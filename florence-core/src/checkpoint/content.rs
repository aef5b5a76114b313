//! Recognizes what a file really holds, by its first bytes, when that is not what its name says:
//! faults of downloads, clones and copies.

use serde_json::Value;

use crate::{Error, Result};

/// Bytes at the start of a file that [`recognize`] looks at.
pub(crate) const HEAD: usize = 4096;

/// The expected kind of a file, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A configuration, tokenizer or index.
    Json,
    /// `merges.txt`.
    Merges,
    /// Safetensors or PyTorch's format.
    Weights,
    /// A whole checkpoint.
    Folder,
}

impl Expected {
    fn words(self) -> &'static str {
        match self {
            Self::Json => "the JSON file",
            Self::Merges => "the merges of a tokenizer",
            Self::Weights => "the weights",
            Self::Folder => "the folder of a checkpoint",
        }
    }
}

/// An unexpected kind of file, and the remedy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Other {
    what: String,
    /// The size of the right file, where known.
    size: Option<u64>,
    remedy: String,
}

impl Other {
    fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Other {
            what: what.into(),
            size: None,
            remedy: remedy.into(),
        }
    }

    /// The error for `file`, which should have been `expected`.
    pub(crate) fn error(&self, file: &str, expected: Expected) -> Error {
        let Other { what, size, remedy } = self;
        let size = size.map_or_else(String::new, |n| format!(" (expected {} bytes)", grouped(n)));
        Error::malformed(
            file,
            format!("this is {what}, not {}{size}: {remedy}", expected.words()),
        )
    }
}

/// Refuses a file that is recognized as something else; `head` is its
/// beginning and `len` its size in bytes.
pub(crate) fn check(file: &str, head: &[u8], len: u64, expected: Expected) -> Result<()> {
    match recognize(head, len, expected) {
        Some(other) => Err(other.error(file, expected)),
        None => Ok(()),
    }
}

/// The kind of a file whose first bytes are `head`; `None` if unknown.
pub(crate) fn recognize(head: &[u8], len: u64, expected: Expected) -> Option<Other> {
    let head = &head[..head.len().min(HEAD)];
    if len == 0 {
        return Some(Other::new("an empty file", AGAIN));
    }
    // The length of a header may look like another format's signature.
    if expected == Expected::Weights && looks_like_safetensors(head) {
        return None;
    }
    signature(head)
        .or_else(|| zeros(head, len))
        .or_else(|| weights(head, expected))
        .or_else(|| text(head, len, expected))
}

const AGAIN: &str = "download it again";

/// A hub's pages have `/blob/` in their addresses, its files `/resolve/`.
const PAGE: &str = "download the file itself (on the hub its address has `/resolve/` where that of \
                    its page has `/blob/`)";

/// Formats with a signature.
pub(crate) fn signature(head: &[u8]) -> Option<Other> {
    let unpack = "unpack it";
    let archives: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "a zip archive"),
        (b"PK\x05\x06", "an empty zip archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07", "a rar archive"),
        (b"\xfd7zXZ\x00", "an xz archive"),
        (b"BZh", "a bzip2 archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"\x04\x22\x4d\x18", "an lz4 archive"),
    ];
    let found = archives.iter().find(|(sign, _)| head.starts_with(sign));
    if let Some((_, what)) = found {
        return Some(Other::new(*what, unpack));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(Other::new("a tar archive", unpack));
    }
    let models: [(&[u8], &str); 6] = [
        (b"GGUF", "a GGUF file (llama.cpp)"),
        (b"lmgg", "a GGML file (llama.cpp)"),
        (b"tjgg", "a GGML file (llama.cpp)"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file (TensorFlow)"),
        (b"\x93NUMPY", "a NumPy file"),
        (b"TFL3", "a TensorFlow Lite model"),
    ];
    let found = models.iter().find(|(sign, _)| {
        head.starts_with(sign) || (sign == b"TFL3" && head.get(4..8) == Some(sign))
    });
    if let Some((_, what)) = found {
        return Some(Other::new(*what, ORIGINAL));
    }
    if is_onnx(head) {
        return Some(Other::new("an ONNX model", ORIGINAL));
    }
    let others: [(&[u8], &str); 8] = [
        (b"%PDF-", "a PDF"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"RIFF", "a media file"),
        (b"\x7fELF", "a program"),
        (b"MZ\x90", "a program"),
        (b"bplist0", "a property list or web archive"),
    ];
    let found = others.iter().find(|(sign, _)| head.starts_with(sign));
    if let Some((_, what)) = found {
        return Some(Other::new(*what, AGAIN));
    }
    None
}

/// The remedy for a converted model.
pub(super) const ORIGINAL: &str =
    "take the checkpoint that it was made from (safetensors or PyTorch, f32, f16 or bf16)";

/// Weights where something else is expected.
fn weights(head: &[u8], expected: Expected) -> Option<Other> {
    let weights = looks_like_safetensors(head) || head.starts_with(&[0x80, 0x02]);
    (weights && expected != Expected::Weights).then(|| {
        Other::new(
            "a file of weights",
            "give each file of the checkpoint its own name again",
        )
    })
}

/// A header's length, then its opening brace.
fn looks_like_safetensors(head: &[u8]) -> bool {
    head.len() > 9 && head[5..8] == [0, 0, 0] && head[8] == b'{'
}

/// An ONNX model begins with its version and the name of the program that
/// wrote it, as protocol buffers write them.
fn is_onnx(head: &[u8]) -> bool {
    let [0x08, version, 0x12, len, rest @ ..] = head else {
        return false;
    };
    let producer = rest.get(..usize::from(*len)).unwrap_or_default();
    (3..32).contains(version)
        && !producer.is_empty()
        && producer.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}

fn zeros(head: &[u8], len: u64) -> Option<Other> {
    (head.len() >= 16 && head.iter().all(|b| *b == 0)).then(|| {
        Other::new(
            format!("{} bytes that begin with zeros only", grouped(len)),
            "the download reserved the room and did not fill it, download it again",
        )
    })
}

/// Text files.
fn text(head: &[u8], len: u64, expected: Expected) -> Option<Other> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(Other::new(
            "UTF-16 text",
            "save it as UTF-8 or download it again",
        ));
    }
    let text = readable(head)?.trim_start_matches('\u{feff}').trim_start();
    if let Some(other) = pointer(text) {
        return Some(other);
    }
    let lower: String = text
        .chars()
        .take(1024)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let page = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<meta",
        "<title",
    ];
    if page.iter().any(|tag| lower.starts_with(tag))
        || (lower.starts_with('<') && lower.contains("<html"))
        || lower.starts_with("from: <saved by")
        || (lower.starts_with("mime-version:") && lower.contains("html"))
    {
        return Some(Other::new("a web page", PAGE));
    }
    if lower.starts_with("http/1.") || lower.starts_with("http/2") {
        return Some(Other::new(
            "the answer of a web server with its headers",
            AGAIN,
        ));
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error") {
        return Some(Other::new(
            format!("an XML document ({})", first_line(text)),
            AGAIN,
        ));
    }
    if text.starts_with(['{', '[']) {
        return json(text, expected);
    }
    if text.is_empty() {
        return Some(Other::new("a file of blanks", AGAIN));
    }
    if expected == Expected::Merges && is_merges(text) {
        return None;
    }
    // A JSON file may be truncated or hold a lone value, which its parser reports better.
    let word = |word: &str| text.starts_with(word);
    if expected == Expected::Json && (text.len() < 2 || word("\"") || word("null")) {
        return None;
    }
    let kind = if word("---") || word("# ") || word("## ") {
        "a Markdown text"
    } else if len < 1024 && is_server_message(&lower) {
        "the message of a server"
    } else {
        "a text"
    };
    Some(Other::new(format!("{kind} ({})", first_line(text)), AGAIN))
}

/// Small text files that point to a large file stored elsewhere.
fn pointer(text: &str) -> Option<Other> {
    let lfs = [
        "version https://git-lfs.github.com/",
        "version https://hawser.github.com/",
    ];
    if lfs.iter().any(|begin| text.starts_with(begin)) {
        let size = text
            .lines()
            .find_map(|line| line.strip_prefix("size ")?.trim().parse::<u64>().ok());
        let remedy = "run `git lfs pull` in this folder, or download the file";
        return Some(Other {
            size,
            ..Other::new("a Git LFS pointer", remedy)
        });
    }
    if text.starts_with("# xet version") {
        return Some(Other::new("a Git Xet pointer", "download the file itself"));
    }
    if text.starts_with("/annex/objects/") || text.contains(".git/annex/objects/") {
        return Some(Other::new(
            "a git-annex pointer",
            "run `git annex get` in this folder",
        ));
    }
    let line = text.trim_end();
    let path = line.starts_with("../") && line.len() < 512 && !line.contains(['\n', ' ', '{']);
    path.then(|| {
        Other::new(
            format!("the text of a link ({line})"),
            "copy the file that it leads to, or download it again",
        )
    })
}

/// Expected JSON is checked by [`message_in`] after parsing.
fn json(text: &str, expected: Expected) -> Option<Other> {
    if expected == Expected::Json {
        return None;
    }
    if let Ok(Value::Object(map)) = serde_json::from_str::<Value>(text)
        && let Some(other) = message_in(&map)
    {
        return Some(other);
    }
    Some(if text.contains("\"weight_map\"") {
        Other::new(
            "the index of a sharded checkpoint",
            "name it model.safetensors.index.json and put its files beside it",
        )
    } else {
        Other::new("a JSON file", AGAIN)
    })
}

/// The body of a refused request, which has a message and little else.
pub(crate) fn message_in(map: &serde_json::Map<String, Value>) -> Option<Other> {
    if map.len() > 6 || map.contains_key("model_type") {
        return None;
    }
    let message = ["error", "message", "detail", "Message", "errors"]
        .iter()
        .find_map(|key| map.get(*key))?;
    let message = match message {
        Value::String(message) => message.clone(),
        Value::Object(inner) => inner.get("message")?.as_str()?.to_owned(),
        Value::Array(_) => message.to_string(),
        _ => return None,
    };
    Some(Other::new(
        format!("the message of a server ({})", first_line(&message)),
        AGAIN,
    ))
}

fn is_server_message(lower: &str) -> bool {
    let words = [
        "not found",
        "forbidden",
        "unauthorized",
        "denied",
        "restricted",
        "invalid username",
        "gateway",
        "too many requests",
        "rate limit",
        "error",
        "unavailable",
        "expired",
    ];
    words.iter().any(|word| lower.contains(word))
}

/// Pairs of symbols, one a line.
fn is_merges(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.starts_with("#version"));
    lines
        .next()
        .is_none_or(|line| line.split(' ').count() == 2 && !line.contains('\t'))
}

/// `head` as text, when it is text; its end may cut a character in two.
fn readable(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 => {
            std::str::from_utf8(&head[..e.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let binary = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c');
    (!text.contains(binary)).then_some(text)
}

/// The beginning of a foreign text, for a message.
fn first_line(text: &str) -> String {
    const SHOWN: usize = 80;
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let mut shown: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    if line.chars().count() > SHOWN {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// A number with thousands separators.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8], expected: Expected) -> Option<String> {
        recognize(bytes, bytes.len() as u64, expected).map(|other| other.what)
    }

    #[test]
    fn expected_content_is_accepted() {
        for json in [
            "{}",
            "{\"a\": 1}",
            "\u{feff}{\"a\": 1}",
            " \n{",
            "[1]",
            "null",
            "\"x\"",
            "3",
        ] {
            assert_eq!(what(json.as_bytes(), Expected::Json), None, "{json}");
        }
        for merges in [
            "#version: 0.2\nĠ t\nĠ a\n",
            "Ġ t\n",
            "#version: 0.2\n",
            "# #\n",
        ] {
            assert_eq!(what(merges.as_bytes(), Expected::Merges), None, "{merges}");
        }
        let mut header = 100u64.to_le_bytes().to_vec();
        header.extend(b"{\"a\":{}}");
        assert_eq!(what(&header, Expected::Weights), None);
        assert_eq!(what(&header[..8], Expected::Weights), None);
        assert_eq!(what(&header, Expected::Json).unwrap(), "a file of weights");
    }

    #[test]
    fn text_truncated_inside_a_character_is_text() {
        let text = "Über alles".repeat(1000);
        for cut in HEAD - 3..HEAD {
            let head = &text.as_bytes()[1..=cut];
            assert!(readable(&head[1..]).is_some(), "{cut}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 463_221_266].map(grouped),
            ["0", "999", "1,000", "463,221,266"]
        );
    }
}
