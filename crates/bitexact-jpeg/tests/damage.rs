//! Damaged files: Pillow's pixels, or refused as Pillow refuses them.

mod common;

use bitexact_jpeg::{DecodeOptions, Error, PixelLayout, decode};
use common::{damaged, data, read_data, whole_files};

/// Images of more pixels are not decoded by either side.
const LARGE: u64 = 1 << 24;

/// Each line of the golden file: a seed, and what Pillow makes of the damaged
/// file of that seed: `refused`, `large`, or the layout, the size and the CRC-32
/// of the pixels.
///
/// Regenerate, or compare any number with `BITEXACT_JPEG_GOLDEN=FILE`:
/// `tools/reference/jpeg_damage.py seeded --count 600 crates/bitexact-jpeg/tests/data`.
#[test]
fn damaged_files_equal_pillow() {
    let path = std::env::var_os("BITEXACT_JPEG_GOLDEN");
    let path = path.map_or_else(|| data("golden_seeded.txt"), Into::into);
    let golden = std::fs::read_to_string(path).unwrap();
    let whole = whole_files();
    let options = DecodeOptions::new().max_pixels(LARGE);
    let (mut decoded, mut refused, mut differences) = (0, 0, Vec::new());
    for line in golden.lines() {
        let (seed, theirs) = line.split_once(' ').unwrap();
        let ours = match decode(&damaged(seed.parse().unwrap(), &whole), &options) {
            Err(_) if theirs == "large" => theirs.to_owned(),
            Err(_) => "refused".to_owned(),
            Ok(image) => {
                let layout = match image.layout {
                    PixelLayout::Gray8 => "L",
                    PixelLayout::Rgb8 => "RGB",
                    other => panic!("{seed}: {other:?}"),
                };
                let crc = crc32fast::hash(&image.pixels);
                format!("{layout} {}x{} {crc:08x}", image.width, image.height)
            }
        };
        match theirs {
            "refused" => refused += 1,
            _ => decoded += 1,
        }
        if ours != theirs {
            differences.push(format!("{seed}: {ours}; Pillow: {theirs}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(decoded >= 200 && refused >= 50, "{decoded} {refused}");
    println!("{decoded} decoded, {refused} refused, no difference");
}

/// Every byte of small files of each kind, changed.
#[test]
fn damage_of_every_kind_never_panics() {
    for name in [
        "arithmetic.jpg",
        "arithmetic_progressive.jpg",
        "first_bits.jpg",
        "means.jpg",
        "ycck.jpg",
    ] {
        let file = read_data(&format!("jpeg_kinds/{name}"));
        for at in 0..file.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = file.clone();
                bad[at] ^= flip;
                let _ = decode(&bad, &DecodeOptions::new().max_pixels(1 << 20));
            }
        }
    }
}

/// A file of 7 KB that would take minutes.
#[test]
fn scans_without_data_are_refused() {
    let mut file = b"\xff\xd8\xff\xdb\0\x43\0".to_vec();
    file.extend([1; 64]);
    file.extend(b"\xff\xc2\0\x0b\x08\x3e\x80\x3e\x80\x01\x01\x11\0");
    file.extend(b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    for _ in 0..500 {
        file.extend(b"\xff\xda\0\x08\x01\x01\0\0\0\0");
    }
    file.extend(b"\xff\xd9");
    let refused = decode(&file, &DecodeOptions::new()).unwrap_err();
    assert_eq!(refused, Error::ScansWithoutData);
}
