//! LZW decoding of a frame as in Pillow: until the frame is full, whatever follows.

use super::Refusal;
use super::header::Header;

const MOST_BITS: u32 = 12;
const TABLE: usize = 1 << MOST_BITS;

/// Decodes the frame into the screen's indices.
pub(super) fn unpack(header: &Header, screen: &mut [u8]) -> Result<(), Refusal> {
    let mut codes = Codes::new(header.data);
    let mut pixels = Pixels::new(header, screen);
    let first_bits = u32::from(header.bits) + 1;
    let clear = 1usize << header.bits;
    let end = clear + 1;
    // The last byte of each string, and the string that it continues.
    let mut last_byte = [0u8; TABLE];
    let mut prefix = [0u16; TABLE];
    let mut string = Vec::with_capacity(TABLE);
    let mut bits = first_bits;
    let mut next = clear + 2;
    // The previous code, and the first byte of its string.
    let mut before: Option<(usize, u8)> = None;
    loop {
        let code = codes
            .next(bits)
            .ok_or("the data of its first frame end early")?;
        if code == clear {
            bits = first_bits;
            next = clear + 2;
            before = None;
            continue;
        }
        if code == end {
            return Err("its first frame has too few pixels".into());
        }
        string.clear();
        let Some((previous, first)) = before else {
            if code > clear {
                return Err(BROKEN.into());
            }
            before = Some((code, code as u8));
            if pixels.put(code as u8) {
                return Ok(());
            }
            continue;
        };
        if code > next {
            return Err(BROKEN.into());
        }
        let mut at = code;
        if code == next {
            string.push(first);
            at = previous;
        }
        while at >= clear {
            if string.len() >= TABLE || at >= TABLE {
                return Err(BROKEN.into());
            }
            string.push(last_byte[at]);
            at = usize::from(prefix[at]);
        }
        let first = at as u8;
        string.push(first);
        if next < TABLE {
            last_byte[next] = first;
            prefix[next] = previous as u16;
            if next == (1 << bits) - 1 && bits < MOST_BITS {
                bits += 1;
            }
            next += 1;
        }
        before = Some((code, first));
        for byte in string.iter().rev() {
            if pixels.put(*byte) {
                return Ok(());
            }
        }
    }
}

const BROKEN: &str = "the data of its first frame are broken";

/// Codes of a growing number of bits, in blocks of bytes.
struct Codes<'a> {
    data: &'a [u8],
    block: &'a [u8],
    buffer: u32,
    filled: u32,
}

impl<'a> Codes<'a> {
    fn new(data: &'a [u8]) -> Self {
        Codes {
            data,
            block: &[],
            buffer: 0,
            filled: 0,
        }
    }

    fn next(&mut self, bits: u32) -> Option<usize> {
        while self.filled < bits {
            if let Some((byte, rest)) = self.block.split_first() {
                self.block = rest;
                self.buffer |= u32::from(*byte) << self.filled;
                self.filled += 8;
            } else {
                let (len, rest) = self.data.split_first()?;
                (self.block, self.data) = rest.split_at_checked(usize::from(*len))?;
            }
        }
        let code = self.buffer & ((1 << bits) - 1);
        self.buffer >>= bits;
        self.filled -= bits;
        Some(code as usize)
    }
}

/// The frame's pixels in the order of the data.
struct Pixels<'a> {
    screen: &'a mut [u8],
    stride: usize,
    frame: super::header::Frame,
    x: usize,
    y: usize,
    /// Row steps, and the starts of the remaining passes.
    step: usize,
    passes: &'static [(usize, usize)],
}

impl<'a> Pixels<'a> {
    fn new(header: &Header, screen: &'a mut [u8]) -> Self {
        let interlaced = header.frame.interlaced;
        Pixels {
            screen,
            stride: header.width,
            frame: header.frame,
            x: 0,
            y: 0,
            step: if interlaced { 8 } else { 1 },
            passes: if interlaced {
                &[(4, 8), (2, 4), (1, 2)]
            } else {
                &[]
            },
        }
    }

    /// Writes a pixel; returns whether it was the last.
    fn put(&mut self, index: u8) -> bool {
        let frame = self.frame;
        self.screen[(frame.y + self.y) * self.stride + frame.x + self.x] = index;
        self.x += 1;
        if self.x < frame.width {
            return false;
        }
        self.x = 0;
        self.y += self.step;
        while self.y >= frame.height {
            let Some(((start, step), rest)) = self.passes.split_first() else {
                return true;
            };
            (self.y, self.step, self.passes) = (*start, *step, rest);
        }
        false
    }
}
