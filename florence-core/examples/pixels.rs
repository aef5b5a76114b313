//! What is read from image files, for comparison with other decoders
//! (`tools/reference/compare_images.py`): a line a file.
//!
//! Names of files come on standard input. For each of them standard output has
//! `ok WIDTH HEIGHT CRC32-OF-RGB NOTES` or `no REASON`.

use std::io::BufRead;

use florence_core::image::{ImageFile, ImageNote, ImageOptions, to_rgb};

fn main() {
    for name in std::io::stdin().lock().lines().map_while(Result::ok) {
        match ImageFile::open(&name, &ImageOptions::default()) {
            Ok(file) => {
                let rgb = to_rgb(&file.image);
                let notes: Vec<_> = file.notes.iter().map(ImageNote::to_string).collect();
                println!(
                    "ok {} {} {:08x} {}",
                    rgb.width(),
                    rgb.height(),
                    crc32fast::hash(rgb.as_raw()),
                    notes.join("; ")
                );
            }
            Err(error) => println!("no {error}"),
        }
    }
}
