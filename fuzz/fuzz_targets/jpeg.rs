//! Any bytes as a JPEG, with inks converted and with inks as stored.

#![no_main]

use bitexact_jpeg::{DecodeOptions, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = DecodeOptions::new().max_pixels(1 << 16);
    for options in [options.clone(), options.keep_inks(true)] {
        let Ok(image) = decode(bytes, &options) else {
            return;
        };
        let pixels = image.width as usize * image.height as usize;
        assert!((1..=1 << 16).contains(&pixels));
        assert_eq!(image.pixels.len(), pixels * image.layout.bytes_per_pixel());
        if let Some(damage) = image.damage {
            assert!(!damage.what.is_empty());
            assert!(
                damage.from_row.is_none_or(|row| row < image.height),
                "{damage}"
            );
        }
        if image.layout.bytes_per_pixel() == 1 {
            return;
        }
    }
});
