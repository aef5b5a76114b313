//! The names of masks: `photo.mask.png`, and `photo.mask-001-label.png` for each object.

use std::ffi::OsStr;

/// The longest label in the name of a file, in bytes.
const LABEL: usize = 40;

/// Whether a file is called as masks are.
pub(super) fn is_mask(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let Some(stem) = name.strip_suffix(b".png") else {
        return false;
    };
    let Some(dot) = stem.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let ending = &stem[dot..];
    ending == b".mask" || ending.starts_with(b".mask-")
}

/// Whether the name of a mask goes on so behind `.mask-`.
pub(super) fn is_object(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let label = rest
        .get(digits..)
        .and_then(|rest| rest.strip_suffix(b".png"));
    digits >= 3
        && label.is_some_and(|label| {
            !label.contains(&b'.') && (label.is_empty() || label.starts_with(b"-"))
        })
}

/// A label as part of a file name: letters and digits, everything else between them a dash.
pub(super) fn label_in_name(label: &str) -> String {
    let words = label.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    let mut end = LABEL.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_parts_of_file_names() {
        for (label, name) in [
            ("car", "car"),
            ("a red  circle", "a-red-circle"),
            ("../../etc/passwd", "etc-passwd"),
            ("C:\\x.png", "C-x-png"),
            ("Größe 42", "Größe-42"),
            ("???", ""),
            ("", ""),
        ] {
            assert_eq!(label_in_name(label), name);
        }
        let long = label_in_name(&"ä".repeat(100));
        assert_eq!(long, "ä".repeat(20));
    }

    #[test]
    fn masks_of_one_image_are_not_those_of_another() {
        for (name, is) in [
            ("a.mask.png", true),
            ("a.mask-001.png", true),
            ("a.b.mask-001-car.png", true),
            ("mask.png", false),
            ("a.png", false),
            ("a.mask.txt", false),
            ("a.mask-001-car.png.png", false),
        ] {
            assert_eq!(is_mask(name.as_ref()), is, "{name}");
        }
        // Behind "a.mask-".
        for (rest, is) in [
            ("001.png", true),
            ("001-car.png", true),
            ("1234-car.png", true),
            ("001-car.mask.png", false),
            ("001-car.mask-001.png", false),
            ("1-car.png", false),
            ("001car.png", false),
        ] {
            assert_eq!(is_object(rest.as_bytes()), is, "{rest}");
        }
    }
}
