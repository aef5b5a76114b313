//! Decompression of strips and tiles.

use std::borrow::Cow;

use super::fax::Fax;
use super::layout::Layout;
use super::{Ifd, Refusal, jpeg, predictor};

/// `rows` rows of samples in the file's byte order.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// The first row that is damaged, where the others could be read.
    pub(super) damaged_from: Option<usize>,
}

/// Decompresses a block; `fax` has decompressed the previous one.
pub(super) fn block<'a>(
    layout: &Layout<'a>,
    ifd: &Ifd,
    fax: &mut Option<Fax>,
    (index, rows): (usize, usize),
) -> Result<Block<'a>, Refusal> {
    let size = layout.row_bytes() * rows;
    let stored = if layout.compression == 1 {
        // Pillow reads what it needs, whatever the count says.
        let rest = layout.stored.rest(index);
        &rest[..size.min(rest.len())]
    } else {
        layout.stored.block(index)
    };
    if matches!(layout.compression, 5 | 8 | 32946 | 32773) && size / DENSEST > stored.len() {
        return Err(CUT.into());
    }
    let stored = if layout.reversed && layout.compression != 7 {
        Cow::Owned(stored.iter().map(|byte| byte.reverse_bits()).collect())
    } else {
        Cow::Borrowed(stored)
    };
    let mut damaged_from = None;
    let mut out = match layout.compression {
        1 if stored.len() < size => return Err(CUT.into()),
        1 => {
            let bytes = stored;
            return Ok(Block {
                bytes,
                damaged_from,
            });
        }
        2..=4 => {
            let unpacked = fax
                .get_or_insert_with(|| Fax::new(layout))
                .unpack(&stored, layout, rows)?;
            damaged_from = unpacked.damaged_from;
            unpacked.rows
        }
        5 => lzw(&stored, size)?,
        7 => jpeg::unpack(&stored, layout, rows)?,
        8 | 32946 => deflate(&stored, size)?,
        32773 => packbits(&stored, size)?,
        other => return Err(Refusal::Unsupported(compression_name(other))),
    };
    if matches!(layout.compression, 5 | 8 | 32946) {
        predictor::undo(&mut out, layout, ifd.big_endian)?;
    }
    let bytes = Cow::Owned(out);
    Ok(Block {
        bytes,
        damaged_from,
    })
}

const CUT: &str = "a strip or tile ends early";

/// An upper bound of the expansion of LZW, Deflate and PackBits: memory is allocated only where
/// there are data to fill it.
const DENSEST: usize = 4096;

fn compression_name(compression: u64) -> String {
    let name = match compression {
        6 => "JPEG of TIFF's old kind",
        34712 => "JPEG 2000",
        34925 => "LZMA",
        50000 => "Zstandard",
        50001 => "WebP",
        50002 => "JPEG XL",
        other => return format!("compression {other}"),
    };
    format!("compression {compression}, {name}")
}

fn lzw(stored: &[u8], size: usize) -> Result<Vec<u8>, Refusal> {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut out = vec![0; size];
    let (mut read, mut filled) = (0, 0);
    while filled < size {
        let step = decoder.decode_bytes(&stored[read..], &mut out[filled..]);
        read += step.consumed_in;
        filled += step.consumed_out;
        if step.status.is_err() || (step.consumed_in == 0 && step.consumed_out == 0) {
            return Err(CUT.into());
        }
    }
    Ok(out)
}

fn deflate(stored: &[u8], size: usize) -> Result<Vec<u8>, Refusal> {
    let mut inflate = zlib_rs::Inflate::new(true, 15);
    let mut out = vec![0; size];
    let result = inflate.decompress(stored, &mut out, zlib_rs::InflateFlush::NoFlush);
    result.map_err(|error| format!("a strip or tile is broken ({})", error.as_str()))?;
    // Data after the last row may be missing, the checksum too.
    if inflate.total_out() < size as u64 {
        return Err(CUT.into());
    }
    Ok(out)
}

fn packbits(mut stored: &[u8], size: usize) -> Result<Vec<u8>, Refusal> {
    // The excess of the last run is dropped.
    let mut out = Vec::with_capacity(size + 127);
    while out.len() < size {
        let (control, rest) = stored.split_first().ok_or(CUT)?;
        stored = rest;
        match *control {
            128 => {}
            literal @ 0..128 => {
                let (bytes, rest) = stored
                    .split_at_checked(usize::from(literal) + 1)
                    .ok_or(CUT)?;
                out.extend_from_slice(bytes);
                stored = rest;
            }
            repeat => {
                let (byte, rest) = stored.split_first().ok_or(CUT)?;
                out.resize(out.len() + 257 - usize::from(repeat), *byte);
                stored = rest;
            }
        }
    }
    out.truncate(size);
    Ok(out)
}
