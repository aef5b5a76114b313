//! The stored orientation, as Pillow's `ImageOps.exif_transpose` finds it: in the EXIF data, else
//! in the XMP data.

use image::metadata::Orientation;

pub(super) fn of(exif: &[u8], xmp: &[u8]) -> Orientation {
    let value = match in_exif(exif) {
        Found::Value(value) => u8::try_from(value).ok(),
        Found::Unusable => None,
        Found::Nothing => in_xmp(xmp),
    };
    value
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms)
}

/// The orientation in EXIF data.
enum Found {
    Value(u32),
    /// The data or the tag is invalid.
    Unusable,
    Nothing,
}

/// The tag's value in the first directory of a TIFF header.
fn in_exif(exif: &[u8]) -> Found {
    // Some programs write the name of the segment twice.
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    if exif.is_empty() {
        return Found::Nothing;
    }
    let little = match exif.get(..4) {
        Some(b"II*\0" | b"II\0*") => true,
        Some(b"MM\0*" | b"MM*\0") => false,
        _ => return Found::Unusable,
    };
    let file = Numbers { exif, little };
    match file.read(4, 4) {
        Some(directory) => file.search(directory as usize),
        None => Found::Unusable,
    }
}

/// Integers of either byte order.
struct Numbers<'a> {
    exif: &'a [u8],
    little: bool,
}

impl Numbers<'_> {
    fn read(&self, at: usize, size: usize) -> Option<u32> {
        let bytes = self.exif.get(at..at.checked_add(size)?)?;
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if self.little {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        })
    }

    /// The last entry counts, and none from the first truncated one on.
    fn search(&self, directory: usize) -> Found {
        const ORIENTATION: u32 = 0x112;
        let mut found = Found::Nothing;
        let entries = self.read(directory, 2).unwrap_or(0) as usize;
        for entry in (0..entries).map(|n| directory + 2 + 12 * n) {
            if self.exif.len() < entry + 12 {
                break;
            }
            let field = |at: usize, size: usize| self.read(entry + at, size).unwrap_or(0);
            let (tag, kind, count) = (field(0, 2), field(2, 2), field(4, 4) as usize);
            let Some(size) = size_of(kind) else {
                continue;
            };
            // Values too large for the entry are stored elsewhere.
            let length = count.saturating_mul(size);
            let mut place = entry + 8;
            if length > 4 {
                place = field(8, 4) as usize;
                if self.exif.len() < place.saturating_add(length) {
                    break;
                }
            }
            if tag == ORIENTATION && count > 0 {
                found = match kind {
                    3 | 4 | 6 | 8 | 9 | 13 => match self.read(place, size) {
                        Some(value) => Found::Value(value),
                        None => Found::Unusable,
                    },
                    _ => Found::Unusable,
                };
            }
        }
        found
    }
}

/// Bytes of a value of a type.
fn size_of(kind: u32) -> Option<usize> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 => 8,
        _ => return None,
    })
}

/// The first digit after the name, as an attribute or as an element.
fn in_xmp(xmp: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    (xmp.windows(NAME.len()).enumerate())
        .filter(|(_, window)| *window == NAME)
        .find_map(|(at, _)| {
            let digit = match xmp[at + NAME.len()..] {
                [b'=', b'"', digit, ..] | [b'>', digit, ..] => digit,
                _ => return None,
            };
            digit.is_ascii_digit().then(|| digit - b'0')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with one entry.
    fn exif(little: bool, kind: u16, value: &[u8]) -> Vec<u8> {
        let number = |n: u32, size: usize| {
            let bytes = n.to_be_bytes();
            let bytes = bytes[4 - size..].iter().copied();
            if little {
                bytes.rev().collect::<Vec<_>>()
            } else {
                bytes.collect()
            }
        };
        [
            if little {
                b"II".to_vec()
            } else {
                b"MM".to_vec()
            },
            number(42, 2),
            number(8, 4),
            number(1, 2),
            number(0x112, 2),
            number(kind.into(), 2),
            number(1, 4),
            value.to_vec(),
        ]
        .concat()
    }

    #[test]
    fn both_byte_orders_and_all_whole_numbers() {
        let six = Orientation::from_exif(6).unwrap();
        for (little, kind, value) in [
            (true, 3, [6, 0, 0, 0]),
            (false, 3, [0, 6, 0, 0]),
            (true, 8, [6, 0, 0, 0]),
            (false, 4, [0, 0, 0, 6]),
        ] {
            let data = exif(little, kind, &value);
            assert_eq!(of(&data, b""), six);
            assert_eq!(of(&[b"Exif\0\0", &*data].concat(), b""), six);
            for len in 0..data.len() {
                assert_eq!(of(&data[..len], b""), Orientation::NoTransforms);
            }
        }
        // Text is no orientation, and without EXIF data there is none.
        let xmp = b"tiff:Orientation>6";
        let text = exif(true, 2, &[6, 0, 0, 0]);
        assert_eq!(of(&text, xmp), Orientation::NoTransforms);
        assert_eq!(of(b"II", xmp), Orientation::NoTransforms);
        assert_eq!(
            of(&exif(true, 3, &[9, 0, 0, 0]), b""),
            Orientation::NoTransforms
        );
    }

    #[test]
    fn xmp_is_used_without_exif_orientation() {
        let six = Orientation::from_exif(6).unwrap();
        assert_eq!(of(b"", b"<a tiff:Orientation=\"6\"/>"), six);
        assert_eq!(of(b"", b"<tiff:Orientation>6</tiff:Orientation>"), six);
        assert_eq!(
            of(b"", b"tiff:Orientation=\"x\" tiff:Orientation=\"6\""),
            six
        );
        assert_eq!(of(b"", b"tiff:Orientation>6"), six);
        assert_eq!(of(b"", b"tiff:Orientation"), Orientation::NoTransforms);
        let three = exif(true, 3, &[3, 0, 0, 0]);
        let both = of(&three, b"<a tiff:Orientation=\"6\"/>");
        assert_eq!(both, Orientation::from_exif(3).unwrap());
    }
}
