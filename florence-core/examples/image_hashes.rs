//! Prints what becomes of many image files, for a comparison with another
//! decoder: see `tools/reference/{jpeg_damage,compare_images}.py`.
//!
//! Reads files one after the other from standard input, each with its length
//! before it (four bytes, the lowest first). Prints for each the size and the
//! SHA-256 of its RGB pixels and its notes, or `refused` and why.

use std::io::{self, BufWriter, Read, Write};

use florence_core::image::{ImageFile, ImageOptions, to_rgb};

#[path = "../tests/common/sha256.rs"]
mod sha256;

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut file = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut file)?;
        match ImageFile::decode(&file, &ImageOptions::default()) {
            Ok(file) => {
                let rgb = to_rgb(&file.image);
                let hash = sha256::sha256(rgb.as_raw());
                write!(output, "{}x{} {hash}\t", rgb.width(), rgb.height())?;
                let notes: Vec<_> = file.notes.iter().map(ToString::to_string).collect();
                writeln!(output, "{}", notes.join(" "))?;
            }
            Err(error) => writeln!(output, "refused\t{error}")?,
        }
    }
    output.flush()
}
