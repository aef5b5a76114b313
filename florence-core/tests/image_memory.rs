//! What a hostile image costs. Alone in its process, whose memory is measured.
#![cfg(target_os = "linux")]

use std::io::Cursor;

use florence_core::image::decode;
use image::codecs::png::PngEncoder;
use image::{ImageEncoder, RgbImage};

/// The most memory that the process had since it was last forgotten, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() << 10
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// A colour profile is compressed, and unpacked before the pixels.
#[test]
fn a_small_image_with_a_huge_profile_takes_little_memory() {
    let mut png = Cursor::new(Vec::new());
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(vec![0; 500 << 20]).unwrap();
    let image = RgbImage::new(10, 10);
    image.write_with_encoder(encoder).unwrap();
    let png = png.into_inner();
    assert!(png.len() < 4 << 20);

    forget_peak();
    let before = peak();
    let read = decode(&png, &Default::default()).unwrap();
    let taken = peak() - before;
    assert_eq!(read.into_rgb8(), image);
    assert!(taken < 200 << 20, "{} MiB", taken >> 20);
}
