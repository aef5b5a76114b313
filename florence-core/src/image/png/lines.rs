//! The rows of a PNG in the order of the stream, without their filters.

use super::header::Layout;

/// First row, step of rows, first column, step of columns.
type Pass = (usize, usize, usize, usize);

/// Adam7, and one pass for pictures that are not interlaced.
const ADAM7: [Pass; 7] = [
    (0, 8, 0, 8),
    (0, 8, 4, 8),
    (4, 8, 0, 4),
    (0, 4, 2, 4),
    (2, 4, 0, 2),
    (0, 2, 1, 2),
    (1, 2, 0, 1),
];
const PLAIN: [Pass; 1] = [(0, 1, 0, 1)];

/// The position of a line's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) y: usize,
    pub(super) x: usize,
    pub(super) step: usize,
    pub(super) pixels: usize,
}

/// One line after the other: filled through [`buffer`](Lines::buffer), read
/// through [`unfilter`](Lines::unfilter).
#[derive(Debug)]
pub(super) struct Lines {
    passes: &'static [Pass],
    pass: usize,
    y: usize,
    width: usize,
    height: usize,
    bits: usize,
    /// The filter's number, then the bytes of the line and, in `previous`, of
    /// the one above it.
    line: Vec<u8>,
    previous: Vec<u8>,
}

impl Lines {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut lines = Lines {
            passes: if layout.interlaced { &ADAM7 } else { &PLAIN },
            pass: 0,
            y: 0,
            width: layout.region.width,
            height: layout.region.height,
            bits: layout.mode.bits(),
            line: Vec::new(),
            previous: Vec::new(),
        };
        lines.start_pass();
        lines
    }

    fn pixels(&self) -> usize {
        let (_, _, x, step) = self.passes[self.pass];
        self.width.saturating_sub(x).div_ceil(step)
    }

    fn start_pass(&mut self) {
        self.y = self.passes[self.pass].0;
        let bytes = (self.pixels() * self.bits).div_ceil(8);
        self.line = vec![0; 1 + bytes];
        self.previous = vec![0; 1 + bytes];
    }

    /// The next line, its filter first.
    pub(super) fn buffer(&mut self) -> &mut [u8] {
        &mut self.line
    }

    pub(super) fn place(&self) -> Place {
        let (_, _, x, step) = self.passes[self.pass];
        Place {
            y: self.y,
            x,
            step,
            pixels: self.pixels(),
        }
    }

    /// Reverses the filter of the line that was filled, and returns its bytes.
    pub(super) fn unfilter(&mut self) -> Result<&[u8], String> {
        let bpp = self.bits.div_ceil(8);
        let (filter, line) = self.line.split_first_mut().ok_or("an empty row")?;
        let above = &self.previous[1..];
        let split = bpp.min(line.len());
        match *filter {
            0 => {}
            1 => {
                for i in bpp..line.len() {
                    line[i] = line[i].wrapping_add(line[i - bpp]);
                }
            }
            2 => {
                for (byte, up) in line.iter_mut().zip(above) {
                    *byte = byte.wrapping_add(*up);
                }
            }
            3 => {
                for i in 0..split {
                    line[i] = line[i].wrapping_add(above[i] / 2);
                }
                for i in split..line.len() {
                    let mean = (u16::from(line[i - bpp]) + u16::from(above[i])) / 2;
                    line[i] = line[i].wrapping_add(mean as u8);
                }
            }
            4 => {
                for i in 0..split {
                    line[i] = line[i].wrapping_add(above[i]);
                }
                for i in split..line.len() {
                    let nearest = paeth(line[i - bpp], above[i], above[i - bpp]);
                    line[i] = line[i].wrapping_add(nearest);
                }
            }
            other => return Err(format!("filter {other} of a row, expected 0 to 4")),
        }
        Ok(line)
    }

    /// Advances to the next line; returns whether there is one.
    pub(super) fn advance(&mut self) -> bool {
        std::mem::swap(&mut self.line, &mut self.previous);
        self.y += self.passes[self.pass].1;
        while self.y >= self.height || self.pixels() == 0 {
            if self.pass + 1 == self.passes.len() {
                return false;
            }
            self.pass += 1;
            self.start_pass();
        }
        true
    }

    /// The first row with missing pixels.
    pub(super) fn first_open_row(&self) -> u32 {
        let later = self.passes[self.pass + 1..]
            .iter()
            .filter(|(_, _, x, _)| *x < self.width)
            .map(|(y, ..)| *y);
        later.fold(self.y, usize::min) as u32
    }
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i16::from);
    let (pa, pb, pc) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if pa <= pb && pa <= pc {
        left
    } else if pb <= pc {
        up
    } else {
        corner
    }
}
