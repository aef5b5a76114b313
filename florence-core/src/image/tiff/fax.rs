//! CCITT groups 3 and 4: pages of fax machines and scanners.

use std::convert::Infallible;

use ::fax::decoder::{DecodeStatus, Group3Decoder, decode_g4};

use super::Refusal;
use super::layout::Layout;

/// Unpacks rows of bits, 0 where the page is white.
pub(super) fn unpack(stored: &[u8], layout: &Layout, rows: usize) -> Result<Vec<u8>, Refusal> {
    if layout.bits != 1 || layout.samples != 1 {
        return Err("fax compression of more than one bit a pixel".into());
    }
    let mut out = Vec::new();
    let mut fits = true;
    let mut put = |edges: &[u32]| {
        // What a changed code leads to: edges that go back, or over the end of the row.
        fits &= edges.is_sorted()
            && edges
                .last()
                .is_none_or(|&edge| edge as usize <= layout.block_width);
        if out.len() < rows * layout.row_bytes() {
            let start = out.len();
            out.resize(start + layout.row_bytes(), 0);
            blacken(&mut out[start..], edges, layout.block_width);
        }
    };
    let bytes = stored.iter().copied();
    if layout.compression == 4 {
        let size = (layout.block_width as u32, Some(rows as u32));
        decode_g4(bytes, size.0, size.1, put);
    } else {
        if layout.fax_options & 1 != 0 {
            return Err(Refusal::Unsupported(
                "CCITT group 3 in two dimensions".into(),
            ));
        }
        let broken = "its fax data do not start with a line";
        let mut lines = Group3Decoder::new(bytes.map(Ok::<u8, Infallible>)).map_err(|_| broken)?;
        for _ in 0..rows {
            let status = lines.advance();
            put(lines.transitions());
            if !matches!(status, Ok(DecodeStatus::Incomplete)) {
                break;
            }
        }
    }
    if !fits || out.len() < rows * layout.row_bytes() {
        return Err("its fax data end early or are broken".into());
    }
    Ok(out)
}

/// Sets the bits from each first to each second edge.
fn blacken(row: &mut [u8], edges: &[u32], width: usize) {
    for pair in edges.chunks(2) {
        let from = (pair[0] as usize).min(width);
        let to = pair.get(1).map_or(width, |to| (*to as usize).min(width));
        for x in from..to {
            row[x / 8] |= 0x80 >> (x % 8);
        }
    }
}
