//! The frame header: the size of the image and of its components.

use crate::error::{Error, MAX_SIDE, Stop};
use crate::source::Source;

/// A component of the frame.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Sampling factors, 1 to 4.
    pub(crate) h: usize,
    pub(crate) v: usize,
    /// The number of its quantization table.
    pub(crate) table: u8,
    /// The quantization table, copied when the first scan of the component
    /// begins: a file may redefine it afterwards.
    pub(crate) quantization: Option<[u16; 64]>,
    /// Columns and rows of blocks that hold samples of the image.
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// Blocks in a stored row: `columns` rounded up to whole MCUs of an
    /// interleaved scan.
    pub(crate) stride: usize,
}

impl Component {
    /// How many rows of blocks of the row `mcu` of MCUs hold samples of the image.
    pub(crate) fn rows_of(&self, mcu: usize, frame: &Frame) -> usize {
        if mcu + 1 < frame.mcu_rows {
            self.v
        } else {
            (self.rows - 1) % self.v + 1
        }
    }
}

/// What the frame header says.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) h_max: usize,
    pub(crate) v_max: usize,
    pub(crate) progressive: bool,
    pub(crate) arithmetic: bool,
    pub(crate) components: Vec<Component>,
    /// Rows of MCUs of an interleaved scan.
    pub(crate) mcu_rows: usize,
}

impl Frame {
    /// Reads a frame header (SOF segment) whose marker has the second byte `code`.
    pub(crate) fn read(source: &mut Source<'_>, code: u8, max_pixels: u64) -> Result<Self, Stop> {
        let length = usize::from(source.u16()?);
        let precision = source.byte()?;
        let (height, width) = (u32::from(source.u16()?), u32::from(source.u16()?));
        let count = source.byte()?;
        if precision != 8 {
            return Err(Error::Precision(precision).into());
        }
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::Size { width, height }.into());
        }
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Error::TooManyPixels {
                width,
                height,
                allowed: max_pixels,
            }
            .into());
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Error::Components(count).into());
        }
        if length != 8 + 3 * usize::from(count) {
            return Err(Error::Segment(code).into());
        }
        let specs = (0..count)
            .map(|_| Ok([source.byte()?, source.byte()?, source.byte()?]))
            .collect::<Result<Vec<_>, Stop>>()?;
        let factors = |spec: &[u8; 3]| (usize::from(spec[1] >> 4), usize::from(spec[1] & 15));
        let h_max = specs.iter().map(|p| factors(p).0).max().unwrap_or(1);
        let v_max = specs.iter().map(|p| factors(p).1).max().unwrap_or(1);
        let (width, height) = (width as usize, height as usize);
        let mut components = Vec::with_capacity(specs.len());
        for spec in &specs {
            let (h, v) = factors(spec);
            let good = (1..=4).contains(&h) && (1..=4).contains(&v);
            if !good || h_max % h != 0 || v_max % v != 0 {
                return Err(Error::Sampling.into());
            }
            components.push(Component {
                id: spec[0],
                h,
                v,
                table: spec[2],
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
            mcu_rows: height.div_ceil(8 * v_max),
        })
    }

    /// The first row of pixels that the row `mcu` of MCUs affects: upsampling
    /// reaches one row up.
    pub(crate) fn first_row(&self, mcu: usize) -> u32 {
        let row = mcu * 8 * self.v_max;
        row.saturating_sub(usize::from(self.v_max > 1)) as u32
    }
}
