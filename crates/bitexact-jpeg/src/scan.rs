//! The header of a scan.

use super::fault::{Fault, Stop};
use super::frame::Frame;
use super::signs::Sign;
use super::source::Source;

/// One component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Which one of the frame.
    pub(super) component: usize,
    /// The numbers of its tables.
    pub(super) dc: u8,
    pub(super) ac: u8,
}

/// The header of a scan.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) parts: Vec<Part>,
    /// The band of coefficients, in zigzag order.
    pub(super) start: u8,
    pub(super) end: u8,
    /// Successive approximation: the bit before this scan, the bit after it.
    pub(super) high: u8,
    pub(super) low: u8,
}

/// How a unit of the scan is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

impl Scan {
    /// Reads the segment.
    pub(super) fn read(source: &mut Source<'_>, frame: &Frame) -> Result<Self, Stop> {
        let length = usize::from(source.u16()?);
        let count = usize::from(source.byte()?);
        if length != 6 + 2 * count || !(1..=4).contains(&count) {
            return Err(Fault::Segment(0xda).into());
        }
        let mut parts: Vec<Part> = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, tables) = (source.byte()?, source.byte()?);
            // libjpeg's check for components that come twice: those whose place
            // in the frame is taken in the scan are passed over.
            let found = (frame.components.iter().enumerate())
                .position(|(place, c)| c.id == id && place >= parts.len());
            let component = found.ok_or(Fault::ScanComponent(id))?;
            if parts.iter().any(|part| part.component == component) {
                return Err(Fault::ScanComponent(id).into());
            }
            parts.push(Part {
                component,
                dc: tables >> 4,
                ac: tables & 15,
            });
        }
        let (start, end, bits) = (source.byte()?, source.byte()?, source.byte()?);
        Ok(Scan {
            parts,
            start,
            end,
            high: bits >> 4,
            low: bits & 15,
        })
    }

    /// Checks the parameters.
    pub(super) fn mode(&self, frame: &Frame, source: &mut Source<'_>) -> Result<Mode, Fault> {
        let Scan {
            start,
            end,
            high,
            low,
            ..
        } = *self;
        if !frame.progressive {
            if (start, end, high, low) != (0, 63, 0, 0) {
                source.signs.add(Sign::ScanParameters, 1);
            }
            return Ok(Mode::Sequential);
        }
        let band = if start == 0 {
            end == 0
        } else {
            start <= end && end < 64 && self.parts.len() == 1
        };
        if !band || (high != 0 && low + 1 != high) || low > 13 {
            return Err(Fault::ScanParameters);
        }
        Ok(match (start, high) {
            (0, 0) => Mode::DcFirst,
            (0, _) => Mode::DcRefine,
            (_, 0) => Mode::AcFirst,
            _ => Mode::AcRefine,
        })
    }
}
