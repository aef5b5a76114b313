//! Whether a JPEG is all there. The decoder fills what is missing with grey.

/// Checks that the scan data is followed by an end-of-image marker, as Pillow
/// requires of files that it calls not truncated.
pub(crate) fn check_complete(bytes: &[u8]) -> Result<(), String> {
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xd9 => return Ok(()),
            // Restart markers and TEM stand alone.
            0x01 | 0xd0..=0xd7 => {}
            _ => {
                // A segment: its length counts itself.
                let Some(length) = bytes.get(at..at + 2) else {
                    break;
                };
                at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
        }
    }
    Err("JPEG that is cut off: no end-of-image marker".to_owned())
}

/// The next marker code from `at` on, which is left behind it. Scan data is
/// skipped: in it a byte of 0xff is followed by zero.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let found = bytes.get(*at..)?.iter().position(|b| *b == 0xff)?;
        *at += found;
        while bytes.get(*at) == Some(&0xff) {
            *at += 1;
        }
        let code = *bytes.get(*at)?;
        *at += 1;
        if code != 0 {
            return Some(code);
        }
    }
}
