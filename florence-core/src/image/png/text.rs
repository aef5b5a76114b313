//! Text chunks of a PNG, which may hold the orientation.

use std::borrow::Cow;

use super::Chunk;

/// Maximum decompressed size of a text; Pillow's limit.
const MAX_TEXT: usize = 1 << 20;

/// A text, decompressed on demand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    compressed: bool,
    stored: &'a [u8],
}

impl<'a> Text<'a> {
    /// The keyword and the text of a valid text chunk.
    pub(super) fn of(chunk: &Chunk<'a>) -> Option<(&'a [u8], Self)> {
        let (keyword, rest) = split(chunk.data)?;
        let (compressed, stored) = match &chunk.name {
            b"tEXt" => (false, rest),
            b"zTXt" => (true, rest.strip_prefix(&[0])?),
            b"iTXt" => {
                let ([compressed, method], rest) = rest.split_first_chunk()?;
                let (_language, rest) = split(rest)?;
                let (_translated, text) = split(rest)?;
                if *compressed != 0 && *method != 0 {
                    return None;
                }
                (*compressed != 0, text)
            }
            _ => return None,
        };
        Some((keyword, Text { compressed, stored }))
    }

    /// The text; empty where it is corrupt or too long.
    pub(super) fn unpacked(self) -> Cow<'a, [u8]> {
        if self.compressed {
            inflate(self.stored).unwrap_or_default().into()
        } else {
            self.stored.into()
        }
    }

    /// The bytes in a text in ImageMagick's format: three lines with their type and number, and
    /// lines of hexadecimal digits.
    pub(super) fn raw_profile(self) -> Option<Vec<u8>> {
        let text = self.unpacked();
        let lines = text.split(|byte| *byte == b'\n').skip(3);
        let digits = lines
            .flatten()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8))
            .collect::<Option<Vec<_>>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes = pairs.iter().map(|[upper, lower]| upper << 4 | lower);
        rest.is_empty().then(|| bytes.collect())
    }
}

/// The bytes before and after the first zero.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Decompresses a stream, whose end may be missing.
fn inflate(packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; MAX_TEXT];
    let mut inflate = zlib_rs::Inflate::new(true, 15);
    let status = inflate
        .decompress(packed, &mut out, zlib_rs::InflateFlush::NoFlush)
        .ok()?;
    let whole = status == zlib_rs::Status::StreamEnd || inflate.total_in() == packed.len() as u64;
    out.truncate(inflate.total_out() as usize);
    whole.then_some(out)
}
