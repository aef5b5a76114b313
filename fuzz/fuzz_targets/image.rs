//! Any bytes as an image file of any format.

#![no_main]

use florence_core::image::{ImageFile, ImageNote, ImageOptions, to_rgb};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = ImageOptions::new()
        .max_pixels(1 << 16)
        .apply_exif_orientation(bytes.len() % 2 == 1);
    match ImageFile::decode(bytes, &options) {
        Ok(file) => {
            let rgb = to_rgb(&file.image);
            let pixels = u64::from(rgb.width()) * u64::from(rgb.height());
            assert!((1..=1 << 16).contains(&pixels));
            assert_eq!(rgb.as_raw().len() as u64, 3 * pixels);
            for note in &file.notes {
                assert!(!note.to_string().is_empty());
                if let ImageNote::StoredTurned { exif_orientation } = note {
                    assert!((2..=8).contains(exif_orientation));
                }
            }
        }
        Err(error) => assert!(error.to_string().starts_with("image: "), "{error}"),
    }
});
