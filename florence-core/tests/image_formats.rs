//! Image files of many formats and kinds, whole and damaged, against Pillow.

mod common;

use common::sha256::sha256;
use common::{read_data, read_json};
use florence_core::image::{ImageFile, ImageNote, ImageOptions, decode, to_rgb};
use serde_json::Value;

/// Made by `tools/reference/image_goldens.py`.
fn cases(format: &str) -> Vec<(String, Vec<u8>, Value)> {
    let golden = read_json("golden_formats.json");
    let cases: Vec<_> = golden
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["kind"].as_str().unwrap().starts_with(format))
        .map(|case| {
            let hex = case["file"].as_str().unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let file = (0..hex.len()).step_by(2).map(byte).collect();
            (
                case["kind"].as_str().unwrap().to_owned(),
                file,
                case.clone(),
            )
        })
        .collect();
    assert!(cases.len() >= 30, "{format}: {}", cases.len());
    cases
}

fn read(file: &[u8]) -> florence_core::Result<ImageFile> {
    ImageFile::decode(file, &ImageOptions::default())
}

/// What Pillow reads is read, to the bit. Gives how many files that were.
fn equals_pillow(format: &str) -> usize {
    let mut equal = 0;
    for (at, (kind, file, golden)) in cases(format).into_iter().enumerate() {
        let read = read(&file);
        let Some(hash) = golden["sha256"].as_str() else {
            // Nothing that others refuse is read as if it were whole.
            if format == "png" {
                assert!(read.is_err(), "{at}: {kind}");
            }
            continue;
        };
        let read = read.unwrap_or_else(|error| panic!("{at}: {kind}: {error}"));
        let rgb = to_rgb(&read.image);
        assert_eq!(golden["width"], rgb.width(), "{at}: {kind}");
        assert_eq!(golden["height"], rgb.height(), "{at}: {kind}");
        assert_eq!(sha256(rgb.as_raw()), hash, "{at}: {kind}");
        equal += 1;
    }
    equal
}

#[test]
fn png_equals_pillow_whole_and_damaged() {
    assert!(equals_pillow("png") >= 100);
}

#[test]
#[cfg(feature = "bmp")]
fn bmp_equals_pillow() {
    assert!(equals_pillow("bmp") >= 30);
}

#[test]
#[cfg(feature = "gif")]
fn gif_equals_pillow() {
    assert!(equals_pillow("gif") >= 36);
}

#[test]
#[cfg(feature = "tiff")]
fn tiff_equals_pillow() {
    assert!(equals_pillow("tiff") >= 150);
}

#[test]
#[cfg(feature = "webp")]
fn webp_equals_pillow() {
    assert!(equals_pillow("webp") >= 30);
}

#[test]
fn damaged_pngs_that_are_read_say_so() {
    let mut noted = 0;
    for (kind, file, golden) in cases("png") {
        let Ok(file_read) = read(&file) else { continue };
        let damage = file_read.notes.iter().find_map(|note| match note {
            ImageNote::Damaged { what, from_row } => Some((what, from_row)),
            _ => None,
        });
        match kind.as_str() {
            "png whole" => assert_eq!(damage, None),
            "png no_end" => {
                assert_eq!(
                    damage.unwrap().0,
                    "the file ends before its end chunk (IEND)"
                );
            }
            "png bad_pixel_checksum" => {
                let (what, from_row) = damage.unwrap();
                assert_eq!(what, "the checksum of its pixels (IDAT) is wrong");
                assert!(u64::from(from_row.unwrap()) < golden["height"].as_u64().unwrap());
            }
            _ => {}
        }
        if let Some((what, _)) = damage {
            // Without notes, damaged files are refused.
            let error = decode(&file, &ImageOptions::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("image: damaged: {what}"));
            noted += 1;
        } else {
            decode(&file, &ImageOptions::default()).unwrap();
        }
    }
    assert!(noted >= 15, "{noted}");
}

/// Rows that are missing are black, and the note says where they start.
#[test]
fn a_png_whose_rows_end_early_says_from_where() {
    let rows = |passes: &[(u8, &[u8])]| {
        let mut raw = Vec::new();
        for (filter, row) in passes {
            raw.push(*filter);
            raw.extend_from_slice(row);
        }
        raw
    };
    let plain = png((4, 3), 0, &rows(&[(0, &[9, 8, 7, 6]), (1, &[1, 1, 1, 1])]));
    let file = read(&plain).unwrap();
    assert_eq!(
        to_rgb(&file.image)
            .chunks(3)
            .map(|p| p[0])
            .collect::<Vec<_>>(),
        [9, 8, 7, 6, 1, 2, 3, 4, 0, 0, 0, 0]
    );
    let damaged = |from_row| ImageNote::Damaged {
        what: "the pixels end early".to_owned(),
        from_row: Some(from_row),
    };
    assert_eq!(file.notes, [damaged(2)]);
    // Adam7: the first pass of a picture of 8 × 8 pixels is one of them.
    let interlaced = png((8, 8), 1, &rows(&[(0, &[200])]));
    let file = read(&interlaced).unwrap();
    assert_eq!(to_rgb(&file.image).get_pixel(0, 0).0, [200; 3]);
    assert_eq!(to_rgb(&file.image).get_pixel(1, 0).0, [0; 3]);
    assert_eq!(file.notes, [damaged(0)]);
}

/// A grey PNG of 8 bits whose pixels are stored without compression.
fn png((width, height): (u32, u32), interlaced: u8, raw: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, interlaced]);
    let len = raw.len() as u16;
    let mut stream = vec![0x78, 1, 1];
    stream.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
    stream.extend_from_slice(raw);
    let (a, b) = raw.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header), (b"IDAT", stream), (b"IEND", Vec::new())] {
        file.extend((data.len() as u32).to_be_bytes());
        let body = [name.as_slice(), &data].concat();
        file.extend_from_slice(&body);
        file.extend(crc32fast::hash(&body).to_be_bytes());
    }
    file
}

/// Headers of a few bytes that promise more than the largest picture.
#[test]
fn sizes_are_checked_before_anything_is_unpacked() {
    let le16 = |v: u16| v.to_le_bytes();
    let mut gif = b"GIF89a".to_vec();
    gif.extend([le16(60_000), le16(60_000)].concat());
    gif.extend(b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0;");
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([60_000u32.to_le_bytes(), 60_000u32.to_le_bytes()].concat());
    bmp.extend(b"\x01\0\x18\0");
    bmp.resize(54, 0);
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    for tag in [256u16, 257] {
        tiff.extend(le16(tag));
        tiff.extend(b"\x04\0\x01\0\0\0");
        tiff.extend(60_000u32.to_le_bytes());
    }
    let formats = [
        (cfg!(feature = "gif"), "GIF", gif),
        (cfg!(feature = "bmp"), "BMP", bmp),
        (cfg!(feature = "tiff"), "TIFF", tiff),
        (true, "PNG", png((60_000, 60_000), 0, &[])),
    ];
    for (_, name, file) in formats.into_iter().filter(|(on, ..)| *on) {
        assert_eq!(
            read(&file).unwrap_err().to_string(),
            format!("image: {name} of 60000 × 60000 pixels, expected 1 to 256000000 in all")
        );
    }
}

/// Few enough pixels, but a side that is refused by the resize: it is refused
/// before its pixels are looked at, which here are not even there.
#[test]
fn sides_are_checked_before_anything_is_unpacked() {
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([1u32.to_le_bytes(), 1_048_577u32.to_le_bytes()].concat());
    bmp.extend(b"\x01\0\x18\0");
    bmp.resize(54, 0);
    for (on, file, start) in [
        (true, png((1, 256_000_000), 0, &[]), "PNG of 1 × 256000000"),
        (true, png((1_048_577, 1), 0, &[]), "PNG of 1048577 × 1"),
        (cfg!(feature = "bmp"), bmp, "BMP of 1 × 1048577"),
    ] {
        if on {
            assert_eq!(
                read(&file).unwrap_err().to_string(),
                format!("image: {start} pixels, expected sides of 1 to 1048576")
            );
        }
    }
    let longest = png((1, 1_048_576), 0, &[]);
    let message = read(&longest).unwrap_err().to_string();
    assert!(
        message.starts_with("image: PNG that is damaged"),
        "{message}"
    );
}

#[test]
fn cut_and_flipped_files_never_panic() {
    for (_, file, _) in ["bmp", "gif", "tiff", "webp"].map(cases).concat() {
        for at in (0..file.len()).step_by(7) {
            let _ = read(&file[..at]);
            let mut bad = file.clone();
            bad[at] ^= 1 << (at % 8);
            let _ = read(&bad);
        }
    }
}

/// What cannot be read is named, with what helps.
#[test]
fn other_formats_are_named() {
    for (start, name, help) in [
        (
            &b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"[..],
            "AVIF",
            "magick FILE out.png",
        ),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "HEIC",
            "heif-convert FILE out.png",
        ),
        (
            b"\0\0\0\x0cjP  \r\n\x87\n",
            "JPEG 2000",
            "magick FILE out.png",
        ),
        (b"\xff\x0a\xfa\x7f", "JPEG XL", "djxl FILE out.png"),
        (b"P6\n3 2\n255\n", "PNM", "magick FILE out.png"),
    ] {
        let message = read(start).unwrap_err().to_string();
        let expected = format!("image: {name} that this program cannot read (");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains(help), "{message}");
        assert!(message.contains("; expected PNG"), "{message}");
    }
    for (start, name, help) in [
        (
            &b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"[..],
            "video (MP4, MOV)",
            "ffmpeg -i FILE",
        ),
        (b"%PDF-1.7", "PDF", "pdftoppm"),
        (b"<?xml version='1.0'?>\n<svg xmlns=", "SVG", "rsvg-convert"),
        (
            b"<!DOCTYPE html>",
            "web page",
            "download the picture itself",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "Git LFS pointer",
            "git lfs pull",
        ),
    ] {
        let message = read(start).unwrap_err().to_string();
        let expected = format!("image: not an image of pixels but {name} (");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains(help), "{message}");
    }
}

#[test]
#[cfg(feature = "gif")]
fn a_gif_begins_with_one_of_two_versions() {
    let body = b"\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0;";
    for version in ["GIF87a", "GIF89a"] {
        assert!(read(&[version.as_bytes(), body].concat()).is_ok());
    }
    for other in ["GIF88a", "GIF89b", "GIF80\0"] {
        let message = read(&[other.as_bytes(), body].concat()).unwrap_err();
        let message = message.to_string();
        assert!(message.starts_with("image: not an image"), "{message}");
    }
}

/// A file that says how it is turned is told apart by format: TIFF is turned by
/// Pillow itself.
#[test]
#[cfg(feature = "tiff")]
fn tiffs_come_upright() {
    let mut options = ImageOptions::default();
    let mut turned = 0;
    for (kind, file, golden) in cases("tiff") {
        if golden["sha256"].is_null() {
            continue;
        }
        options = options.apply_exif_orientation(false);
        let stored = ImageFile::decode(&file, &options).unwrap();
        assert!(stored.notes.is_empty(), "{kind}");
        options = options.apply_exif_orientation(true);
        assert_eq!(
            ImageFile::decode(&file, &options).unwrap(),
            stored,
            "{kind}"
        );
        turned += 1;
    }
    assert!(turned >= 150, "{turned}");
}

#[test]
fn the_largest_picture_is_256_megapixels() {
    assert_eq!(ImageOptions::new().get_max_pixels(), 256_000_000);
    let mut options = ImageOptions::new().max_pixels(12);
    let file = png((4, 3), 0, &[0; 15]);
    assert!(ImageFile::decode(&file, &options).is_ok());
    options = options.max_pixels(11);
    assert!(ImageFile::decode(&file, &options).is_err());
    assert!(decode(&read_data("modes/rgb8.png"), &options).is_err());
}
