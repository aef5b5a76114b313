//! Prints what becomes of many files, for a comparison with another decoder:
//! see `tools/reference/jpeg_damage.py`.
//!
//! Reads files one after the other from standard input, each with its length
//! before it (four bytes, little-endian). Prints for each the size, the SHA-256
//! of its RGB pixels and its damage, or `refused` and why.

use std::io::{self, BufWriter, Read, Write};

use bitexact_jpeg::{DecodeOptions, PixelLayout, decode};
use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = BufWriter::new(io::stdout().lock());
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut file = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut file)?;
        match decode(&file, &DecodeOptions::new()) {
            Ok(image) => {
                let rgb = match image.layout {
                    PixelLayout::Gray8 => image.pixels.iter().flat_map(|v| [*v; 3]).collect(),
                    _ => image.pixels,
                };
                write!(output, "{}x{} ", image.width, image.height)?;
                for byte in Sha256::digest(&rgb) {
                    write!(output, "{byte:02x}")?;
                }
                let damage = image.damage.map(|damage| damage.to_string());
                writeln!(output, "\t{}", damage.unwrap_or_default())?;
            }
            Err(error) => writeln!(output, "refused\t{error}")?,
        }
    }
    output.flush()
}
