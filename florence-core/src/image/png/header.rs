//! The chunks other than pixels.

use image::metadata::Orientation;

use super::Chunk;
use super::text::Text;
use crate::image::orientation;

/// The contents of the chunks before and after the pixels.
#[derive(Debug, Default)]
pub(super) struct Header<'a> {
    size: (u32, u32),
    /// `None` for invalid depths and colors.
    mode: Option<Mode>,
    interlaced: bool,
    palette: Vec<u8>,
    exif: Option<&'a [u8]>,
    /// EXIF data in a text chunk.
    raw_exif: Option<Text<'a>>,
    xmp: Option<Text<'a>>,
    /// The number of frames that an animation declares.
    frames: Option<u32>,
    sequence: Option<u32>,
    /// The region of the next frame, if a chunk gave it.
    frame: Option<Region>,
}

/// The sample format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Gray of 1, 2, 4 or 8 bits.
    Gray(u8),
    Gray16,
    Rgb8,
    Rgb16,
    /// Indices of 1, 2, 4 or 8 bits.
    Palette(u8),
    GrayAlpha8,
    GrayAlpha16,
    Rgba8,
    Rgba16,
}

impl Mode {
    fn of(depth: u8, color: u8) -> Option<Self> {
        Some(match (depth, color) {
            (1 | 2 | 4 | 8, 0) => Mode::Gray(depth),
            (16, 0) => Mode::Gray16,
            (8, 2) => Mode::Rgb8,
            (16, 2) => Mode::Rgb16,
            (1 | 2 | 4 | 8, 3) => Mode::Palette(depth),
            (8, 4) => Mode::GrayAlpha8,
            (16, 4) => Mode::GrayAlpha16,
            (8, 6) => Mode::Rgba8,
            (16, 6) => Mode::Rgba16,
            _ => return None,
        })
    }

    /// Bits per pixel in the file.
    pub(super) fn bits(self) -> usize {
        match self {
            Mode::Gray(depth) | Mode::Palette(depth) => usize::from(depth),
            Mode::Gray16 | Mode::GrayAlpha8 => 16,
            Mode::Rgb8 => 24,
            Mode::GrayAlpha16 | Mode::Rgba8 => 32,
            Mode::Rgb16 => 48,
            Mode::Rgba16 => 64,
        }
    }
}

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// The layout of the pixels in the stream and in the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) mode: Mode,
    pub(super) interlaced: bool,
    pub(super) palette: Vec<u8>,
    /// The region that the stream fills: all, or the first frame of an animation.
    pub(super) region: Region,
}

impl<'a> Header<'a> {
    /// Reads a chunk without pixels.
    ///
    /// Pillow reads more chunks than pixels depend on, and refuses files where these are too short;
    /// so does this.
    pub(super) fn take(&mut self, chunk: &Chunk<'a>) -> Result<(), String> {
        let data = chunk.whole()?;
        let least = match &chunk.name {
            b"IHDR" => 13,
            b"gAMA" => 4,
            b"cHRM" => 32,
            b"sRGB" => 1,
            b"pHYs" => 9,
            b"acTL" => 8,
            b"fcTL" => 26,
            b"tRNS" => match self.mode {
                Some(Mode::Rgb8 | Mode::Rgb16) => 6,
                Some(Mode::Gray(_) | Mode::Gray16) => 2,
                _ => 0,
            },
            _ => 0,
        };
        if data.len() < least {
            return Err(format!(
                "{chunk} has {} bytes, expected {least}",
                data.len()
            ));
        }
        match &chunk.name {
            b"IHDR" => self.start(data)?,
            b"PLTE" if matches!(self.mode, Some(Mode::Palette(_))) => {
                self.palette = data.to_vec();
            }
            b"eXIf" => self.exif = Some(data),
            b"acTL" => {
                let frames = be32(data, 0);
                let valid = self.frames.is_none() && (1..=0x8000_0000).contains(&frames);
                self.frames = valid.then_some(frames);
            }
            b"fcTL" => self.next_frame(data)?,
            b"iCCP" | b"zTXt" if !compressed_as_known(&chunk.name, data) => {
                return Err(format!("{chunk} is compressed in an unknown way"));
            }
            b"tEXt" | b"zTXt" | b"iTXt" => match Text::of(chunk) {
                Some((b"Raw profile type exif", text)) => self.raw_exif = Some(text),
                Some((b"XML:com.adobe.xmp", text)) => self.xmp = Some(text),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// The orientation, once every chunk was read.
    pub(super) fn orientation(&self) -> Orientation {
        let raw = match (self.exif, self.raw_exif) {
            (None, Some(text)) => match text.raw_profile() {
                Some(raw) => raw,
                None => return Orientation::NoTransforms,
            },
            _ => Vec::new(),
        };
        let exif = self
            .exif
            .unwrap_or_else(|| raw.strip_prefix(b"Exif\0\0").unwrap_or(&raw));
        let xmp = self.xmp.map(Text::unpacked).unwrap_or_default();
        orientation::of(exif, &xmp)
    }

    fn start(&mut self, data: &[u8]) -> Result<(), String> {
        self.size = (be32(data, 0), be32(data, 4));
        self.mode = Mode::of(data[8], data[9]).or(self.mode);
        self.interlaced |= data[12] != 0;
        if data[11] != 0 {
            return Err(format!("filter method {}, expected 0", data[11]));
        }
        Ok(())
    }

    fn next_frame(&mut self, data: &[u8]) -> Result<(), String> {
        self.follow(be32(data, 0))?;
        let [width, height, x, y] = [4, 8, 12, 16].map(|at| be32(data, at));
        let inside =
            |start: u32, len: u32, all: u32| u64::from(start) + u64::from(len) <= u64::from(all);
        if !inside(x, width, self.size.0) || !inside(y, height, self.size.1) {
            return Err("a frame lies outside of the picture".into());
        }
        let [x, y, width, height] = [x, y, width, height].map(|v| v as usize);
        self.frame = Some(Region {
            x,
            y,
            width,
            height,
        });
        Ok(())
    }

    /// The pixels of a chunk with a sequence number.
    pub(super) fn frame_data<'c>(&mut self, chunk: Chunk<'c>) -> Result<Chunk<'c>, String> {
        if chunk.len < 4 || chunk.data.len() < 4 {
            return Err(format!("{chunk} is cut off"));
        }
        if self.sequence.is_none() {
            return Err(OUT_OF_ORDER.into());
        }
        self.follow(be32(chunk.data, 0))?;
        Ok(chunk.skip(4))
    }

    fn follow(&mut self, number: u32) -> Result<(), String> {
        let expected = self.sequence.map_or(Some(0), |last| last.checked_add(1));
        if expected != Some(number) {
            return Err(OUT_OF_ORDER.into());
        }
        self.sequence = Some(number);
        Ok(())
    }

    /// Whether the sample format is known.
    pub(super) fn has_mode(&self) -> bool {
        self.mode.is_some()
    }

    /// Whether a frame follows the picture that is read.
    pub(super) fn is_animated(&self) -> bool {
        // Pixels in front of the first frame are one more.
        self.frames
            .is_some_and(|frames| frames > 1 || self.frame.is_none())
    }

    /// The pixel layout, once every chunk before the pixels was read.
    pub(super) fn layout(&mut self) -> Result<Layout, String> {
        let (width, height) = self.size;
        let mode = self
            .mode
            .ok_or("no header (IHDR) with a known depth and color")?;
        if self.palette.len() > 770 {
            return Err("a palette (PLTE) of more than 256 colors".into());
        }
        let all = Region {
            x: 0,
            y: 0,
            width: width as usize,
            height: height as usize,
        };
        let mut region = self.frame.unwrap_or(all);
        let edges = (region.x + region.width, region.y + region.height);
        let empty = region.width == 0 || region.height == 0;
        if self.frame.is_some() && (empty || edges.0 > all.width || edges.1 > all.height) {
            return Err("a frame lies outside of the picture".into());
        }
        if self.interlaced {
            // Pillow places them there.
            (region.x, region.y) = (0, 0);
        }
        Ok(Layout {
            width,
            height,
            mode,
            interlaced: self.interlaced,
            palette: std::mem::take(&mut self.palette),
            region,
        })
    }
}

const OUT_OF_ORDER: &str = "the frames of its animation are out of order";

fn be32(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

/// Whether the byte after the name says deflate, or is missing where Pillow accepts that.
fn compressed_as_known(name: &[u8; 4], data: &[u8]) -> bool {
    let end = data.iter().position(|byte| *byte == 0);
    match (end, name) {
        (Some(end), b"iCCP") => data.get(end + 1) == Some(&0),
        (None, b"iCCP") => data.first() == Some(&0),
        (Some(end), _) => matches!(data.get(end + 1), None | Some(0)),
        (None, _) => true,
    }
}
