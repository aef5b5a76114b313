//! The header of a scan.

use crate::error::{Error, Stop};
use crate::frame::Frame;
use crate::source::Source;
use crate::warnings::Warning;

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanComponent {
    /// Its index in the frame.
    pub(crate) component: usize,
    /// The numbers of its entropy-coding tables.
    pub(crate) dc: u8,
    pub(crate) ac: u8,
}

/// The header of a scan.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) components: Vec<ScanComponent>,
    /// Spectral selection: the first and the last coefficient, in zigzag order.
    pub(crate) start: u8,
    pub(crate) end: u8,
    /// Successive approximation: the bit positions before and after this scan.
    pub(crate) high: u8,
    pub(crate) low: u8,
}

/// How an MCU of the scan is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

impl Scan {
    /// Reads a scan header (SOS segment).
    pub(crate) fn read(source: &mut Source<'_>, frame: &Frame) -> Result<Self, Stop> {
        let length = usize::from(source.u16()?);
        let count = usize::from(source.byte()?);
        if length != 6 + 2 * count || !(1..=4).contains(&count) {
            return Err(Error::Segment(0xda).into());
        }
        let mut components: Vec<ScanComponent> = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, tables) = (source.byte()?, source.byte()?);
            // libjpeg's handling of duplicate identifiers: components of the frame
            // with an index below the number of components so far are skipped.
            let found = (frame.components.iter().enumerate())
                .position(|(place, c)| c.id == id && place >= components.len());
            let component = found.ok_or(Error::ScanComponent(id))?;
            if components
                .iter()
                .any(|selected| selected.component == component)
            {
                return Err(Error::ScanComponent(id).into());
            }
            components.push(ScanComponent {
                component,
                dc: tables >> 4,
                ac: tables & 15,
            });
        }
        let (start, end, bits) = (source.byte()?, source.byte()?, source.byte()?);
        Ok(Scan {
            components,
            start,
            end,
            high: bits >> 4,
            low: bits & 15,
        })
    }

    /// Checks the parameters and tells the coding mode.
    pub(crate) fn mode(&self, frame: &Frame, source: &mut Source<'_>) -> Result<Mode, Error> {
        let Scan {
            start,
            end,
            high,
            low,
            ..
        } = *self;
        if !frame.progressive {
            if (start, end, high, low) != (0, 63, 0, 0) {
                source.warnings.add(Warning::ScanParameters, 1);
            }
            return Ok(Mode::Sequential);
        }
        let band = if start == 0 {
            end == 0
        } else {
            start <= end && end < 64 && self.components.len() == 1
        };
        if !band || (high != 0 && low + 1 != high) || low > 13 {
            return Err(Error::ScanParameters);
        }
        Ok(match (start, high) {
            (0, 0) => Mode::DcFirst,
            (0, _) => Mode::DcRefine,
            (_, 0) => Mode::AcFirst,
            _ => Mode::AcRefine,
        })
    }
}
