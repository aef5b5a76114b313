//! The frame header: the size of the image and of its components.

use super::fault::{Fault, MAX_SIDE, Stop};
use super::source::Source;

/// 64 coefficients in natural order.
pub(super) type Block = [i16; 64];

/// Position in natural order of the k-th coefficient of the zigzag. Damaged
/// data runs past its end, onto the last coefficient.
pub(super) const NATURAL: [usize; 80] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63,
];

/// One component.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Sampling factors, 1 to 4.
    pub(super) h: usize,
    pub(super) v: usize,
    /// The number of its quantization table.
    pub(super) table: u8,
    /// Latched when the component's first scan begins.
    pub(super) quantization: Option<[u16; 64]>,
    /// Blocks that the component's own samples fill.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Blocks in a row as they are stored: whole units of an interleaved scan.
    pub(super) stride: usize,
}

impl Component {
    /// Rows of blocks that samples fill, among those of row `unit` of units.
    pub(super) fn rows_of(&self, unit: usize, frame: &Frame) -> usize {
        if unit + 1 < frame.unit_rows {
            self.v
        } else {
            (self.rows - 1) % self.v + 1
        }
    }
}

/// What the frame header says.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) h_max: usize,
    pub(super) v_max: usize,
    pub(super) progressive: bool,
    pub(super) arithmetic: bool,
    pub(super) components: Vec<Component>,
    /// Rows of interleaved units.
    pub(super) unit_rows: usize,
}

impl Frame {
    /// Reads the segment of the marker `code`.
    pub(super) fn read(source: &mut Source<'_>, code: u8, max_pixels: u64) -> Result<Self, Stop> {
        let length = usize::from(source.u16()?);
        let precision = source.byte()?;
        let (height, width) = (u32::from(source.u16()?), u32::from(source.u16()?));
        let count = source.byte()?;
        if precision != 8 {
            return Err(Fault::Precision(precision).into());
        }
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Fault::Size { width, height }.into());
        }
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Fault::TooManyPixels {
                width,
                height,
                allowed: max_pixels,
            }
            .into());
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Fault::Components(count).into());
        }
        if length != 8 + 3 * usize::from(count) {
            return Err(Fault::Segment(code).into());
        }
        let parts = (0..count)
            .map(|_| Ok([source.byte()?, source.byte()?, source.byte()?]))
            .collect::<Result<Vec<_>, Stop>>()?;
        let factors = |part: &[u8; 3]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        let h_max = parts.iter().map(|p| factors(p).0).max().unwrap_or(1);
        let v_max = parts.iter().map(|p| factors(p).1).max().unwrap_or(1);
        let (width, height) = (width as usize, height as usize);
        let mut components = Vec::with_capacity(parts.len());
        for part in &parts {
            let (h, v) = factors(part);
            let good = (1..=4).contains(&h) && (1..=4).contains(&v);
            if !good || h_max % h != 0 || v_max % v != 0 {
                return Err(Fault::Sampling.into());
            }
            components.push(Component {
                id: part[0],
                h,
                v,
                table: part[2],
                quantization: None,
                columns: (width * h).div_ceil(8 * h_max),
                rows: (height * v).div_ceil(8 * v_max),
                stride: width.div_ceil(8 * h_max) * h,
            });
        }
        Ok(Frame {
            width,
            height,
            h_max,
            v_max,
            progressive: matches!(code, 0xc2 | 0xca),
            arithmetic: code >= 0xc9,
            components,
            unit_rows: height.div_ceil(8 * v_max),
        })
    }

    /// The first row of pixels that row `unit` of units has a part in: the
    /// filter that doubles rows reaches one row up.
    pub(super) fn first_row(&self, unit: usize) -> u32 {
        let row = unit * 8 * self.v_max;
        row.saturating_sub(usize::from(self.v_max > 1)) as u32
    }
}
