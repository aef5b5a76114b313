//! Whole files: Pillow's pixels.

mod common;

use bitexact_jpeg::{DecodeOptions, PixelLayout, decode};
use common::{read_data, whole_files};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sampling factors, sizes around a block, qualities, progressive scans,
/// restart markers. Regenerate: `Image.open(file).convert("RGB")`.
#[test]
fn whole_files_equal_pillow() {
    let golden: Value = serde_json::from_slice(&read_data("golden_jpeg.json")).unwrap();
    let cases = golden["images"].as_array().unwrap();
    assert!(cases.len() > 80, "{}", cases.len());
    for case in cases {
        let name = case["image"].as_str().unwrap();
        let file = read_data(&format!("jpeg/{name}"));
        let image = decode(&file, &DecodeOptions::new()).unwrap();
        let (layout, rgb) = match image.layout {
            PixelLayout::Gray8 => ("L", image.pixels.iter().flat_map(|v| [*v; 3]).collect()),
            PixelLayout::Rgb8 => ("RGB", image.pixels),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(layout, case["mode"], "{name}");
        assert_eq!(sha256(&rgb), case["sha256"].as_str().unwrap(), "{name}");
        assert_eq!(image.damage, None, "{name}");
    }
}

/// Inks as stored, converted by Pillow's formula, are the RGB pixels.
#[test]
fn kept_inks_are_those_that_rgb_is_made_of() {
    let file = read_data("jpeg_kinds/cmyk.jpg");
    let rgb = decode(&file, &DecodeOptions::new()).unwrap();
    let inks = decode(&file, &DecodeOptions::new().keep_inks(true)).unwrap();
    assert_eq!(inks.layout, PixelLayout::Cmyk8);
    let (inks, rgb) = (
        inks.pixels.as_chunks::<4>().0,
        rgb.pixels.as_chunks::<3>().0,
    );
    assert_eq!(inks.len(), rgb.len());
    for (inks, rgb) in inks.iter().zip(rgb) {
        for (ink, light) in inks.iter().zip(rgb) {
            let exact = f64::from(*ink) * f64::from(inks[3]) / 255.0;
            assert!((f64::from(*light) - exact).abs() <= 0.5, "{inks:?} {rgb:?}");
        }
    }

    let file = read_data("jpeg_kinds/ycck.jpg");
    let inks = decode(&file, &DecodeOptions::new().keep_inks(true)).unwrap();
    assert_eq!(inks.layout, PixelLayout::Ycck8);
    assert_eq!(inks.pixels.len(), 45 * 38 * 4);
}

/// Files of other kinds are the same with the option and without.
#[test]
fn keeping_inks_changes_no_other_files() {
    for file in whole_files() {
        let plain = decode(&file, &DecodeOptions::new()).unwrap();
        let kept = decode(&file, &DecodeOptions::new().keep_inks(true)).unwrap();
        if kept.layout.bytes_per_pixel() == 4 {
            assert_eq!((kept.width, kept.damage), (plain.width, plain.damage));
        } else {
            assert_eq!(kept, plain);
        }
    }
}
