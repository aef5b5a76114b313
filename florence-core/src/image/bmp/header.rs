//! The headers of a BMP.

use super::Refusal;

/// The parsed headers.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) top_down: bool,
    /// Bits per pixel.
    pub(super) bits: usize,
    pub(super) layout: Layout,
    /// The color of each index.
    pub(super) colors: Box<[[u8; 3]; 256]>,
    /// Where the pixels start in the file.
    pub(super) pixels: usize,
}

/// The pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Indices,
    /// Runs of indices, of four bits with `nibbles`.
    Runs {
        nibbles: bool,
    },
    /// 16 bits: the masks of red, green and blue, none of them 0.
    Words {
        masks: [u16; 3],
    },
    /// Whole bytes: how many, and which are red, green and blue.
    Bytes {
        size: usize,
        red: usize,
        green: usize,
        blue: usize,
    },
}

const BGR: Layout = Layout::Bytes {
    size: 3,
    red: 2,
    green: 1,
    blue: 0,
};
const BGRX: Layout = Layout::Bytes {
    size: 4,
    red: 2,
    green: 1,
    blue: 0,
};

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let file = Fields(bytes);
        let offset = file.u32(10)? as usize;
        let size = file.u32(14)? as usize;
        let os2 = match size {
            12 => true,
            40 | 52 | 56 | 64 | 108 | 124 => false,
            other => {
                return Err(Refusal::Unsupported(format!(
                    "a header of {other} bytes, expected 12, 40, 52, 56, 64, 108 or 124"
                )));
            }
        };
        let info = Fields(bytes.get(14..14 + size).ok_or(CUT)?);
        let (width, height, top_down, bits, compression, colors) = if os2 {
            let (width, height) = (info.u16(4)?, info.u16(6)?);
            (width.into(), height.into(), false, info.u16(10)?, 0, 0)
        } else {
            let height = info.u32(8)?;
            // A negative height: the first row is the upper one.
            let top_down = height >> 24 == 0xff;
            let height = if top_down {
                height.wrapping_neg()
            } else {
                height
            };
            let (bits, compression) = (info.u16(14)?, info.u32(16)?);
            (
                info.u32(4)?,
                height,
                top_down,
                bits,
                compression,
                info.u32(32)?,
            )
        };
        let mut masks_behind = 0;
        let layout = match (bits, compression) {
            (1 | 4 | 8, 0) => Layout::Indices,
            (1 | 4 | 8, 1 | 2) => Layout::Runs {
                nibbles: compression == 2,
            },
            (16, 0) => Layout::Words {
                masks: [0x7c00, 0x3e0, 0x1f],
            },
            (24, 0) => BGR,
            (32, 0) => BGRX,
            (16 | 24 | 32, 3) => {
                masks_behind = if size == 40 { 12 } else { 0 };
                let at = 14 + 40;
                let masks = [file.u32(at)?, file.u32(at + 4)?, file.u32(at + 8)?];
                masked(bits, masks)?
            }
            (1 | 4 | 8 | 16 | 24 | 32, other) => {
                return Err(Refusal::Unsupported(format!("BMP compression {other}")));
            }
            (other, _) => {
                return Err(Refusal::Unsupported(format!("{other} bits a pixel")));
            }
        };
        let start = 14 + size + masks_behind;
        let entry = if os2 { 3 } else { 4 };
        let count = if colors == 0 {
            1 << bits.min(8)
        } else {
            colors as usize
        };
        let mut header = Header {
            width,
            height,
            top_down,
            bits: bits.into(),
            layout,
            colors: Box::new([[0; 3]; 256]),
            pixels: if offset == 0 { start } else { offset },
        };
        if bits <= 8 {
            // A file may say that its pixels start at its palette.
            let behind = start.saturating_add(count.saturating_mul(entry));
            if offset == 0 || offset == start {
                header.pixels = behind;
            }
            let stored = bytes.get(start..).unwrap_or_default();
            if count > 65_536 || count.min(stored.len() / entry) > 256 {
                return Err(Refusal::Unsupported(format!("a palette of {count} colors")));
            }
            header.take_palette(stored, entry, count);
        }
        Ok(header)
    }

    fn take_palette(&mut self, stored: &[u8], entry: usize, count: usize) {
        let stored = stored.chunks_exact(entry).take(count);
        let mut ramp = stored.len() == count;
        for ((i, color), bgr) in self.colors.iter_mut().enumerate().zip(stored) {
            *color = [bgr[2], bgr[1], bgr[0]];
            ramp &= *color == [i as u8; 3];
        }
        // Pillow treats indices as levels then, also those without a color.
        match (ramp, self.bits, count) {
            (true, 8, 3..) => *self.colors = std::array::from_fn(|i| [i as u8; 3]),
            (true, 1, 1) => self.colors[1] = [255; 3],
            _ => {}
        }
    }
}

/// The masks that Pillow knows, and others of whole bytes.
fn masked(bits: u16, masks: [u32; 3]) -> Result<Layout, Refusal> {
    let unknown = || {
        let [r, g, b] = masks;
        Refusal::Unsupported(format!("{bits} bits with the masks {r:#x}, {g:#x}, {b:#x}"))
    };
    match (bits, masks) {
        (16, [0xf800, 0x7e0, 0x1f] | [0x7c00, 0x3e0, 0x1f]) => Ok(Layout::Words {
            masks: masks.map(|mask| mask as u16),
        }),
        (24, [0xff0000, 0xff00, 0xff]) => Ok(BGR),
        (32, [0, 0, 0]) => Ok(BGRX),
        (32, masks) => {
            let byte = |mask: u32| {
                let place = mask.trailing_zeros() as usize / 8;
                (mask != 0 && mask == 0xff << (8 * place)).then_some(place)
            };
            let [Some(red), Some(green), Some(blue)] = masks.map(byte) else {
                return Err(unknown());
            };
            let size = 4;
            Ok(Layout::Bytes {
                size,
                red,
                green,
                blue,
            })
        }
        _ => Err(unknown()),
    }
}

const CUT: &str = "the file ends inside of its header";

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> Result<u16, Refusal> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk).ok_or(CUT)?;
        Ok(u16::from_le_bytes(*bytes))
    }

    fn u32(&self, at: usize) -> Result<u32, Refusal> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk).ok_or(CUT)?;
        Ok(u32::from_le_bytes(*bytes))
    }
}
