//! The segments of a file: what the image is made of, and its coefficients.

use super::huffman::Huffman;
use super::scan::{self, Scan};

/// How the components are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Grey,
    YCbCr,
    Rgb,
}

/// One component with its coefficients, before the inverse transform.
#[derive(Debug)]
pub(super) struct Component {
    id: u8,
    /// Sampling factors.
    pub(super) h: usize,
    pub(super) v: usize,
    table: usize,
    /// Latched when the component's first scan begins.
    pub(super) quantization: Option<[u16; 64]>,
    /// Blocks that the component's own samples fill.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Blocks in a row of the coefficients: whole minimum coded units.
    pub(super) stride: usize,
    /// Blocks of 64 coefficients in natural order.
    pub(super) coefficients: Vec<i16>,
}

/// An image whose coefficients are all read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) h_max: usize,
    pub(super) v_max: usize,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    pub(super) color: Color,
}

/// What segments between scans define.
#[derive(Default)]
pub(super) struct Tables {
    quantization: [Option<[u16; 64]>; 4],
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    pub(super) restart_interval: usize,
    jfif: bool,
    adobe_transform: Option<u8>,
}

/// Position in natural order of the k-th coefficient of the zigzag.
pub(super) const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// More scans than any encoder makes; a file of many thousands would only take
/// time.
const MAX_SCANS: usize = 200;

/// Reads a whole file of the given size in pixels, which the caller has held
/// to its limit; `None` for an unusual kind and for any error.
pub(super) fn read(bytes: &[u8], size: (usize, usize)) -> Option<Frame> {
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    if bytes.get(..2)? != [0xff, 0xd8] {
        return None;
    }
    let mut at = 2;
    let mut scans = 0;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        if marker == 0xd9 {
            break;
        }
        let length = usize::from(u16_at(bytes, at)?);
        let segment = bytes.get(at + 2..at + length.max(2))?;
        at += length.max(2);
        match marker {
            0xc0..=0xc2 if frame.is_none() => {
                frame = Some(start(segment, marker == 0xc2, size)?);
            }
            0xc4 => tables.read_huffman(segment)?,
            0xdb => tables.read_quantization(segment)?,
            0xdd => tables.restart_interval = usize::from(u16_at(segment, 0)?),
            0xe0 if segment.starts_with(b"JFIF\0") => tables.jfif = true,
            0xee if segment.starts_with(b"Adobe") => {
                tables.adobe_transform = Some(*segment.get(11)?);
            }
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    return None;
                }
                let frame = frame.as_mut()?;
                let scan = Scan::parse(segment, frame)?;
                for index in scan.components() {
                    let component = &mut frame.components[index];
                    if component.quantization.is_none() {
                        component.quantization = tables.quantization[component.table];
                        component.quantization?;
                    }
                }
                at = scan::read(&scan, frame, &tables, bytes, at)?;
            }
            0xe0..=0xef | 0xfe => {}
            // Arithmetic coding, lossless, 12 bits, late heights …
            _ => return None,
        }
    }
    let mut frame = frame?;
    frame.color = color(&frame, &tables)?;
    let complete = frame.components.iter().all(|c| c.quantization.is_some());
    complete.then_some(frame)
}

/// libjpeg's guess (`default_decompress_parms`).
fn color(frame: &Frame, tables: &Tables) -> Option<Color> {
    let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
    match (ids.len(), tables.jfif, tables.adobe_transform) {
        (1, ..) => Some(Color::Grey),
        (3, true, _) | (3, false, Some(1)) => Some(Color::YCbCr),
        (3, false, Some(0)) => Some(Color::Rgb),
        (3, false, None) if ids == *b"RGB" => Some(Color::Rgb),
        (3, false, None) => Some(Color::YCbCr),
        _ => None,
    }
}

/// A start-of-frame segment.
fn start(segment: &[u8], progressive: bool, size: (usize, usize)) -> Option<Frame> {
    let (height, width) = (
        usize::from(u16_at(segment, 1)?),
        usize::from(u16_at(segment, 3)?),
    );
    let count = usize::from(*segment.get(5)?);
    let usual = segment[0] == 8 && matches!(count, 1 | 3) && segment.len() == 6 + 3 * count;
    if !usual || (width, height) != size || width == 0 || height == 0 {
        return None;
    }
    let parts: Vec<&[u8]> = segment[6..].chunks_exact(3).collect();
    let factors = |part: &[u8]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
    let h_max = parts.iter().map(|p| factors(p).0).max()?;
    let v_max = parts.iter().map(|p| factors(p).1).max()?;
    let mut components = Vec::with_capacity(count);
    for part in parts {
        let (h, v) = factors(part);
        if !(1..=4).contains(&h) || !(1..=4).contains(&v) || h_max % h != 0 || v_max % v != 0 {
            return None;
        }
        let stride = width.div_ceil(8 * h_max) * h;
        let height_in_blocks = height.div_ceil(8 * v_max) * v;
        components.push(Component {
            id: part[0],
            h,
            v,
            table: usize::from(part[2]).min(3),
            quantization: None,
            columns: (width * h).div_ceil(h_max).div_ceil(8),
            rows: (height * v).div_ceil(v_max).div_ceil(8),
            stride,
            coefficients: vec![0; stride * height_in_blocks * 64],
        });
    }
    Some(Frame {
        width,
        height,
        h_max,
        v_max,
        progressive,
        components,
        color: Color::Grey,
    })
}

impl Frame {
    pub(super) fn component(&self, id: u8) -> Option<usize> {
        self.components.iter().position(|c| c.id == id)
    }
}

impl Tables {
    fn read_huffman(&mut self, mut segment: &[u8]) -> Option<()> {
        while !segment.is_empty() {
            let (kind, counts) = (segment[0] >> 4, segment.get(1..17)?);
            let len = counts.iter().map(|c| usize::from(*c)).sum::<usize>();
            let table = Huffman::new(counts, segment.get(17..17 + len)?)?;
            let place = usize::from(segment[0] & 15);
            match kind {
                0 => *self.dc.get_mut(place)? = Some(table),
                1 => *self.ac.get_mut(place)? = Some(table),
                _ => return None,
            }
            segment = &segment[17 + len..];
        }
        Some(())
    }

    fn read_quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while !segment.is_empty() {
            let wide = segment[0] >> 4;
            let place = self.quantization.get_mut(usize::from(segment[0] & 15))?;
            let len = if wide == 0 { 64 } else { 128 };
            let numbers = segment.get(1..1 + len)?;
            let mut table = [0; 64];
            for (k, natural) in ZIGZAG.into_iter().enumerate() {
                table[natural] = if wide == 0 {
                    u16::from(numbers[k])
                } else {
                    u16_at(numbers, 2 * k)?
                };
            }
            *place = Some(table);
            segment = &segment[1 + len..];
        }
        Some(())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}
