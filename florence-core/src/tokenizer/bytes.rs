//! The byte alphabet of byte-level BPE.

/// The byte that a character of a vocabulary entry stands for.
///
/// GPT-2's map: printable Latin-1 bytes stand for themselves, the other 68
/// bytes are shifted, in order, to the characters from U+0100
/// (`bytes_to_unicode` in GPT-2's encoder).
pub(super) fn byte_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        0x100..=0x143 => {
            let n = u8::try_from(code - 0x100).ok()?;
            Some(match n {
                0..=0x20 => n,
                0x21..=0x42 => n - 0x21 + 0x7f,
                _ => 0xad,
            })
        }
        _ => None,
    }
}

/// The raw bytes of a vocabulary entry. Entries with any character outside the
/// alphabet, such as an added token with a space, are taken as they are, which
/// is what the reference's decoder does.
pub(super) fn raw_bytes(token: &str) -> Vec<u8> {
    token
        .chars()
        .map(byte_of)
        .collect::<Option<Vec<u8>>>()
        .unwrap_or_else(|| token.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_exactly_one_character() {
        let mut seen = [0; 256];
        for c in '\0'..='\u{ffff}' {
            if let Some(b) = byte_of(c) {
                seen[usize::from(b)] += 1;
            }
        }
        assert_eq!(seen, [1; 256]);
    }

    #[test]
    fn known_entries() {
        assert_eq!(raw_bytes("Ġworld"), b" world");
        assert_eq!(raw_bytes("Ċ"), b"\n");
        assert_eq!(raw_bytes("Ã©"), "é".as_bytes());
        assert_eq!(raw_bytes("my token"), b"my token");
    }
}
