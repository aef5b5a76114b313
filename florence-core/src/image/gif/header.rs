//! The header of a GIF, up to the data of its first frame.

use super::Refusal;

/// The header of the first frame, and its data.
#[derive(Debug)]
pub(super) struct Header<'a> {
    /// The screen, or the frame where it is larger.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) frame: Frame,
    /// The color of each index; `None` where every index is its gray level.
    pub(super) colors: Option<Box<[[u8; 3]; 256]>>,
    pub(super) transparent: Option<u8>,
    /// Bits per index.
    pub(super) bits: u8,
    pub(super) data: &'a [u8],
}

/// The position of the frame, and the order of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) interlaced: bool,
}

type Colors = Box<[[u8; 3]; 256]>;

impl<'a> Header<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut rest = Bytes(bytes);
        let screen = rest.array::<13>()?;
        let [width, height] = [6, 8].map(|at| le16(&screen, at));
        let global = rest.palette(screen[10])?.flatten();
        let mut transparent = None;
        loop {
            match rest.array::<1>() {
                Ok([b'!']) => {
                    if let Some(index) = rest.extension()? {
                        transparent = Some(index);
                    }
                }
                Ok([b',']) => break,
                Err(_) | Ok([b';']) => return Err("no picture in it".into()),
                Ok(_) => {}
            }
        }
        let place = rest.array::<9>()?;
        let [x, y, frame_width, frame_height] = [0, 2, 4, 6].map(|at| le16(&place, at));
        let frame = Frame {
            x,
            y,
            width: frame_width,
            height: frame_height,
            interlaced: place[8] & 64 != 0,
        };
        if frame.width == 0 || frame.height == 0 {
            return Err("a first frame without pixels".into());
        }
        let colors = match rest.palette(place[8])? {
            Some(Some(local)) => Some(local),
            // Pillow prefers the colors of all frames to a local gray ramp.
            Some(None) | None => global,
        };
        let [bits] = rest.array()?;
        if bits > 12 {
            return Err(format!("indices of {bits} bits, expected 12 at most").into());
        }
        Ok(Header {
            width: width.max(x + frame.width),
            height: height.max(y + frame.height),
            frame,
            colors,
            transparent,
            bits,
            data: rest.0,
        })
    }
}

fn le16(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (array, rest) = self.0.split_first_chunk().ok_or("the file ends early")?;
        self.0 = rest;
        Ok(*array)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("the file ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// A palette, if the flags say that there is one: its colors, or `None` where each is the gray
    /// of its index.
    fn palette(&mut self, flags: u8) -> Result<Option<Option<Colors>>, Refusal> {
        if flags & 128 == 0 {
            return Ok(None);
        }
        let stored = self.take(3 << ((flags & 7) + 1))?.as_chunks::<3>().0;
        let ramp = stored.iter().enumerate().all(|(i, c)| *c == [i as u8; 3]);
        let mut colors = Box::new([[0; 3]; 256]);
        colors[..stored.len()].copy_from_slice(stored);
        Ok(Some((!ramp).then_some(colors)))
    }

    /// A block of an extension, or none at its end.
    fn block(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first()?;
        self.0 = rest;
        let (block, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        self.0 = rest;
        (!block.is_empty()).then_some(block)
    }

    /// Reads an extension; the transparent index where it names one.
    fn extension(&mut self) -> Result<Option<u8>, Refusal> {
        let [kind] = self.array()?;
        let first = self.block();
        let mut transparent = None;
        match (kind, first) {
            (249, Some([flags, _, _, index, ..])) => {
                transparent = (flags & 1 != 0).then_some(*index);
            }
            (249, Some([flags, _, _])) if flags & 1 == 0 => {}
            (249, Some(_)) => return Err("a control block that is too short".into()),
            // A comment may be empty.
            (254, None) => return Ok(None),
            (255, Some(block)) if block.starts_with(b"NETSCAPE2.0") => {
                self.block();
            }
            _ => {}
        }
        while self.block().is_some() {}
        Ok(transparent)
    }
}
