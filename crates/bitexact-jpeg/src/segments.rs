//! The marker segments of a file up to the next scan: libjpeg's `read_markers`.

use crate::error::{Error, Stop};
use crate::frame::Frame;
use crate::scan::Scan;
use crate::source::Source;
use crate::tables::Tables;
use crate::warnings::Warning;

/// What the segments so far have defined.
pub(crate) struct Segments {
    pub(crate) tables: Tables,
    pub(crate) frame: Option<Frame>,
    /// Whether there was a JFIF segment.
    pub(crate) jfif: bool,
    /// The color transform of an Adobe segment.
    pub(crate) adobe: Option<u8>,
    started: bool,
    max_pixels: u64,
}

/// What follows the segments.
pub(crate) enum Next {
    Scan(Scan),
    End,
}

impl Segments {
    pub(crate) fn new(max_pixels: u64) -> Self {
        Segments {
            tables: Tables::default(),
            frame: None,
            jfif: false,
            adobe: None,
            started: false,
            max_pixels,
        }
    }

    /// Reads up to the entropy-coded data of the next scan or the end of the image.
    pub(crate) fn next(&mut self, source: &mut Source<'_>) -> Result<Next, Stop> {
        loop {
            if source.marker == 0 {
                if self.started {
                    source.find_marker()?;
                } else {
                    // The file must begin with a start-of-image marker.
                    let code = [source.byte()?, source.byte()?];
                    if code != [0xff, 0xd8] {
                        return Err(Error::NoScan.into());
                    }
                    source.marker = code[1];
                }
            }
            let code = source.marker;
            match code {
                0xd8 if self.started => return Err(Error::SecondStart.into()),
                0xd8 => self.start(),
                0xc0..=0xc2 | 0xc9 | 0xca => {
                    if self.frame.is_some() {
                        return Err(Error::SecondFrame.into());
                    }
                    self.frame = Some(Frame::read(source, code, self.max_pixels)?);
                }
                0xc4 => self.tables.read_huffman(source)?,
                0xcc => self.tables.read_conditioning(source)?,
                0xc3 | 0xc5..=0xcf => return Err(Error::Kind(code).into()),
                0xdb => self.tables.read_quantization(source)?,
                0xdd => self.tables.read_restart_interval(source)?,
                0xda => {
                    let frame = self.frame.as_ref().ok_or(Error::NoFrame)?;
                    let scan = Scan::read(source, frame)?;
                    source.marker = 0;
                    source.next_restart = 0;
                    return Ok(Next::Scan(scan));
                }
                0xd9 => {
                    source.marker = 0;
                    return Ok(Next::End);
                }
                0xe0 | 0xee => self.read_application(source, code)?,
                0xe1..=0xef | 0xfe | 0xdc => {
                    let length = usize::from(source.u16()?);
                    source.skip(length.saturating_sub(2));
                }
                0xd0..=0xd7 | 0x01 => {}
                _ => return Err(Error::Marker(code).into()),
            }
            source.marker = 0;
        }
    }

    /// Continues after the end of a stream that held only tables.
    pub(crate) fn begin_again(&mut self, source: &mut Source<'_>) -> Result<(), Error> {
        if self.frame.is_some() {
            return Err(Error::NoScan);
        }
        self.started = false;
        source.discarded = 0;
        Ok(())
    }

    fn start(&mut self) {
        self.started = true;
        self.tables.conditioning = Default::default();
        self.tables.restart_interval = 0;
        self.jfif = false;
        self.adobe = None;
    }

    /// An APP0 or APP14 segment, which may tell the color model.
    fn read_application(&mut self, source: &mut Source<'_>, code: u8) -> Result<(), Stop> {
        let length = usize::from(source.u16()?).saturating_sub(2);
        let mut start = [0; 14];
        let start = &mut start[..length.min(14)];
        for byte in start.iter_mut() {
            *byte = source.byte()?;
        }
        match (code, &*start) {
            (0xe0, [b'J', b'F', b'I', b'F', 0, major, .., _]) if start.len() == 14 => {
                self.jfif = true;
                if *major != 1 {
                    source.warnings.add(Warning::Version, 1);
                }
            }
            (
                0xee,
                [
                    b'A',
                    b'd',
                    b'o',
                    b'b',
                    b'e',
                    _,
                    _,
                    _,
                    _,
                    _,
                    _,
                    transform,
                    ..,
                ],
            ) => {
                self.adobe = Some(*transform);
            }
            _ => {}
        }
        source.skip(length - start.len());
        Ok(())
    }
}
