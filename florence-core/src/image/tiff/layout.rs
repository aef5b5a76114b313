//! The pixel layout of a TIFF.

use super::stored::Stored;
use super::{Ifd, Refusal};

/// The tags about pixels.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) kind: Kind,
    /// Bits per sample, samples per pixel.
    pub(super) bits: u16,
    pub(super) samples: usize,
    /// Number of planes: the samples, or 1 where they are interleaved.
    pub(super) planes: usize,
    pub(super) compression: u64,
    pub(super) predictor: u64,
    /// Whether the bit order of each byte is reversed.
    pub(super) reversed: bool,
    /// Pixels of a strip or tile.
    pub(super) block_width: usize,
    pub(super) block_height: usize,
    /// Whether blocks at the edges are as large as the others.
    tiled: bool,
    pub(super) stored: Stored<'a>,
    /// The tables that JPEG blocks share.
    pub(super) jpeg_tables: &'a [u8],
    /// The tag T4Options.
    pub(super) fax_options: u64,
}

/// The meaning of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gray, white at 0 if `inverted`.
    Gray {
        inverted: bool,
    },
    /// Signed integers.
    SignedGray,
    FloatGray,
    Palette,
    /// Red, green and blue, multiplied by a fourth sample if `premultiplied`.
    Rgb {
        premultiplied: bool,
    },
    Cmyk,
    /// Stored as JPEG only, which makes RGB of it.
    YCbCr,
}

/// The position of a block in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
    /// The rows that the block stores.
    pub(super) rows: usize,
}

/// Maximum bytes per pixel of the picture that a block may take while it is decompressed: six
/// samples of 16 bits, or the coefficients and samples of a JPEG.
const BLOCK: u64 = 12;

/// Bytes of a block, and pixels of all blocks, that are allowed in addition: tiles may be larger
/// than a small picture.
const PADDING: u64 = 64 << 20;

impl<'a> Layout<'a> {
    pub(super) fn read(ifd: &Ifd<'a>, max_pixels: u64) -> Result<Self, Refusal> {
        let or = |tag: u16, default: u64| ifd.number(tag).unwrap_or(default);
        let size = |tag: u16, name: &str| {
            let value = ifd.number(tag);
            value.ok_or_else(|| Refusal::from(format!("no tag {name}")))
        };
        let (width, height) = (size(256, "ImageWidth")?, size(257, "ImageLength")?);
        Refusal::unless_fits(width, height, max_pixels)?;
        let tiled = ifd.bytes(324).is_some();
        let (block_width, block_height) = if tiled {
            (size(322, "TileWidth")?, size(323, "TileLength")?)
        } else {
            (width, or(278, height).min(height))
        };
        let covered = |all: u64, block: u64| all.div_ceil(block.max(1)).checked_mul(block);
        let covered = covered(width, block_width).zip(covered(height, block_height));
        let covered = covered.and_then(|(w, h)| w.checked_mul(h)).unwrap_or(0);
        let pixels = width * height;
        if covered == 0 || covered > pixels.saturating_mul(4).saturating_add(PADDING) {
            return Err(format!(
                "blocks of {block_width} × {block_height} pixels for a picture of {width} × {height}"
            )
            .into());
        }
        let compression = or(259, 1);
        let samples = or(277, 1);
        let planar = or(284, 1);
        // Pillow's own decoder of unpacked pixels takes other values for 1.
        if compression != 1 && !matches!(planar, 1 | 2) {
            return Err(format!("PlanarConfiguration {planar}, expected 1 or 2").into());
        }
        let planar = planar == 2 && samples > 1;
        let (kind, bits) = kind(ifd, compression, samples)?;
        if planar && (bits % 8 != 0 || kind == Kind::YCbCr) {
            return Err(Refusal::Unsupported(format!(
                "separate planes of {bits} bits, compression {compression}"
            )));
        }
        let samples = samples as usize;
        let planes = if planar { samples } else { 1 };
        let blocks = width.div_ceil(block_width) * height.div_ceil(block_height);
        let stored = if tiled { [324, 325] } else { [273, 279] };
        let layout = Layout {
            width: width as usize,
            height: height as usize,
            kind,
            bits,
            samples,
            planes,
            compression,
            predictor: or(317, 1),
            reversed: or(266, 1) == 2,
            block_width: block_width as usize,
            block_height: block_height as usize,
            tiled,
            stored: Stored::read(ifd, stored, blocks as usize * planes)?,
            jpeg_tables: ifd.bytes(347).unwrap_or_default(),
            fax_options: or(292, 0),
        };
        layout.limit(ifd.file.len() as u64)?;
        Ok(layout)
    }

    /// Refuses blocks that take much more memory than the picture, or that are
    /// read much more often than a file of this length needs.
    fn limit(&self, file: u64) -> Result<(), Refusal> {
        let block = (self.row_bytes() * self.block_height) as u64;
        let unpacking = if self.compression == 7 {
            (self.block_width * self.block_height) as u64 * BLOCK
        } else if matches!(self.compression, 2..=4) {
            // Two rows of runs, of which a row may have twice as many as pixels.
            block + 16 * self.block_width as u64
        } else {
            block
        };
        let (width, height) = (self.width, self.height);
        if unpacking > (width * height) as u64 * BLOCK + PADDING {
            return Err(format!(
                "blocks of {} × {} pixels for a picture of {width} × {height}",
                self.block_width, self.block_height
            )
            .into());
        }
        if self.compression == 1 {
            return Ok(());
        }
        let blocks = self.across() * self.down() * self.planes;
        // Several blocks may share their bytes in the file, as empty tiles do, but compressed bytes
        // are seldom more than their decompressed ones.
        let most = 2 * file + blocks as u64 * block;
        let mut read = 0;
        for index in 0..blocks {
            read += (self.stored.block(index).len() + self.jpeg_tables.len()) as u64;
            if read > most {
                return Err("its strips or tiles overlap".into());
            }
        }
        Ok(())
    }

    pub(super) fn across(&self) -> usize {
        self.width.div_ceil(self.block_width)
    }

    pub(super) fn down(&self) -> usize {
        self.height.div_ceil(self.block_height)
    }

    /// Bytes per row of a block.
    pub(super) fn row_bytes(&self) -> usize {
        let side_by_side = self.samples / self.planes;
        (self.block_width * side_by_side * usize::from(self.bits)).div_ceil(8)
    }

    /// The blocks in the order of the file, within a plane.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Place> + '_ {
        (0..self.down()).flat_map(move |row| {
            let y = row * self.block_height;
            let rows = if self.tiled {
                self.block_height
            } else {
                self.block_height.min(self.height - y)
            };
            (0..self.across()).map(move |column| Place {
                x: column * self.block_width,
                y,
                rows,
            })
        })
    }
}

/// The meaning and the bits of samples, if they are supported.
fn kind(ifd: &Ifd, compression: u64, samples: u64) -> Result<(Kind, u16), Refusal> {
    let photometric = ifd.number(262).unwrap_or(0);
    let all_equal = |tag: u16| {
        let mut values = ifd.numbers(tag).iter().take(samples.min(64) as usize);
        let first = values.next().unwrap_or(1);
        let equal = values.all(|value| value == first);
        equal.then_some(first)
    };
    let (bits, format) = (all_equal(258), all_equal(339));
    let extra: Vec<u64> = ifd.numbers(338).iter().take(2).collect();
    let unknown = || {
        let bits = bits.map_or("mixed".to_owned(), |bits| bits.to_string());
        Refusal::Unsupported(format!(
            "{} of {samples} samples, {bits} bits, sample format {}",
            photometric_name(photometric),
            format.map_or("mixed".to_owned(), |format| format.to_string()),
        ))
    };
    let (Some(bits @ 1..=32), Some(format)) = (bits, format) else {
        return Err(unknown());
    };
    if samples > 6 {
        return Err(unknown());
    }
    let kind = match (photometric, format, bits, samples) {
        (0 | 1, 1, 1 | 2 | 4 | 8, 1) => Kind::Gray {
            inverted: photometric == 0,
        },
        // Pillow does not invert 16 bits, and knows them from low to high bytes.
        (0, 1, 16, 1) if !ifd.big_endian => Kind::Gray { inverted: false },
        (1, 1, 12 | 16, 1) => Kind::Gray { inverted: false },
        (1, 1, 8, 2) if extra != [1] => Kind::Gray { inverted: false },
        (1, 2, 8, 1) => Kind::Gray { inverted: false },
        (1, 1 | 2, 32, 1) | (1, 2, 16, 1) => Kind::SignedGray,
        (0 | 1, 3, 32, 1) => Kind::FloatGray,
        (2, 1, 8 | 16, 3..) => Kind::Rgb {
            premultiplied: samples > 3 && extra.first() == Some(&1),
        },
        (3, 1, 1 | 2 | 4 | 8, 1) | (3, 1, 8, 2) => Kind::Palette,
        (5, 1, 8 | 16, 4..) if compression != 7 => Kind::Cmyk,
        (5, 1, 8, 4) => Kind::Cmyk,
        (6, 1, 8, 3) if compression == 7 => Kind::YCbCr,
        (6, 1, 8, 1) => Kind::Gray { inverted: false },
        _ => return Err(unknown()),
    };
    Ok((kind, bits as u16))
}

fn photometric_name(photometric: u64) -> String {
    match photometric {
        0 | 1 => "gray".into(),
        2 => "RGB".into(),
        3 => "a palette".into(),
        4 => "a mask".into(),
        5 => "CMYK".into(),
        6 => "YCbCr".into(),
        8..=10 => "CIELAB".into(),
        32803 => "a camera's raw pixels".into(),
        other => format!("photometric interpretation {other}"),
    }
}
