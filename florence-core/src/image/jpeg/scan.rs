//! A scan: its header, and the order in which its units fill blocks.

use super::arithmetic::Arithmetic;
use super::fault::{Fault, Stop};
use super::frame::{Block, Frame};
use super::huffman_scan::HuffmanScan;
use super::progress::Progress;
use super::segments::Segments;
use super::signs::{Place, Sign};
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
    fn mode(&self, frame: &Frame, source: &mut Source<'_>) -> Result<Mode, Fault> {
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

/// The blocks of one unit.
pub(super) struct Unit<'a> {
    /// The stored blocks of each component of the frame.
    blocks: &'a mut [Vec<Block>],
    /// For each block of the unit: the part of the scan, the component, its
    /// place when the unit is the first of its row.
    places: &'a [BlockPlace],
    /// The number of the unit in its row.
    column: usize,
}

#[derive(Debug, Clone, Copy)]
struct BlockPlace {
    part: usize,
    component: usize,
    first: usize,
    step: usize,
}

impl Unit<'_> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The part of the scan that a block belongs to, and the block.
    #[inline]
    pub(super) fn block(&mut self, number: usize) -> (usize, &mut Block) {
        let place = self.places[number];
        let at = place.first + self.column * place.step;
        (place.part, &mut self.blocks[place.component][at])
    }

    fn clear(&mut self) {
        for number in 0..self.len() {
            *self.block(number).1 = [0; 64];
        }
    }
}

enum Coder {
    Huffman(Box<HuffmanScan>),
    Arithmetic(Box<Arithmetic>),
}

/// A scan that is being read.
pub(super) struct Pass {
    coder: Coder,
    alone: bool,
    parts: Vec<Part>,
    /// Units in a row.
    columns: usize,
    /// Whether each unit begins with blocks of zeros, as it does where it is
    /// not added to what other scans brought.
    fresh: bool,
}

impl Pass {
    /// Checks that all that the scan needs is there.
    pub(super) fn new(
        scan: &Scan,
        segments: &mut Segments,
        progress: &mut Progress,
        source: &mut Source<'_>,
        fresh: bool,
    ) -> Result<Self, Fault> {
        let tables = &segments.tables;
        let frame = segments.frame.as_mut().ok_or(Fault::NoFrame)?;
        let alone = scan.parts.len() == 1;
        let blocks: usize = (scan.parts.iter())
            .map(|part| &frame.components[part.component])
            .map(|c| c.h * c.v)
            .sum();
        if !alone && blocks > 10 {
            return Err(Fault::UnitTooLarge);
        }
        for part in &scan.parts {
            let component = &mut frame.components[part.component];
            if component.quantization.is_none() {
                let table = tables.quantization.get(usize::from(component.table));
                let table = table.copied().flatten();
                component.quantization = Some(table.ok_or(Fault::NoQuantization(component.table))?);
            }
        }
        let mode = scan.mode(frame, source)?;
        if frame.progressive {
            progress.begin(scan, source);
        }
        let coder = if frame.arithmetic {
            Coder::Arithmetic(Box::new(Arithmetic::new(scan, mode, tables)))
        } else {
            Coder::Huffman(Box::new(HuffmanScan::new(scan, mode, tables)?))
        };
        let columns = if alone {
            frame.components[scan.parts[0].component].columns
        } else {
            frame.width.div_ceil(8 * frame.h_max)
        };
        source.signs.place = Place::default();
        Ok(Pass {
            coder,
            alone,
            parts: scan.parts.clone(),
            columns,
            fresh,
        })
    }

    /// Reads row `row` of interleaved units into `blocks`, which hold those
    /// from row `first` of units on.
    pub(super) fn read_row(
        &mut self,
        source: &mut Source<'_>,
        frame: &Frame,
        blocks: &mut [Vec<Block>],
        (row, first): (usize, usize),
        last_good_row: &mut usize,
    ) -> Result<(), Fault> {
        if !frame.progressive {
            let start = Some(frame.first_row(row));
            source.signs.place.row = start;
            if row == 0 {
                source.signs.place.interval = self.restarts().then_some(0);
            }
        }
        let component = &frame.components[self.parts[0].component];
        let lines = if self.alone {
            component.rows_of(row, frame)
        } else {
            1
        };
        for line in 0..lines {
            let places = self.places(frame, row - first, line);
            for column in 0..self.columns {
                if !self.exhausted() {
                    *last_good_row = row;
                }
                let mut unit = Unit {
                    blocks: &mut *blocks,
                    places: &places,
                    column,
                };
                while let Err(stop) = self.read_unit(source, &mut unit) {
                    match stop {
                        Stop::Fault(fault) => return Err(fault),
                        Stop::Starved if !source.more() => return Err(Fault::CutOff),
                        Stop::Starved if self.fresh => unit.clear(),
                        Stop::Starved => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn places(&self, frame: &Frame, row: usize, line: usize) -> Vec<BlockPlace> {
        let mut places = Vec::with_capacity(10);
        for (part, Part { component, .. }) in self.parts.iter().enumerate() {
            let (index, component) = (*component, &frame.components[*component]);
            let (h, v) = if self.alone {
                (1, 1)
            } else {
                (component.h, component.v)
            };
            let start = (row * component.v + line) * component.stride;
            places.extend((0..h * v).map(|block| BlockPlace {
                part,
                component: index,
                first: start + block / h * component.stride + block % h,
                step: h,
            }));
        }
        places
    }

    fn restarts(&self) -> bool {
        match &self.coder {
            Coder::Huffman(coder) => coder.interval > 0,
            Coder::Arithmetic(coder) => coder.interval > 0,
        }
    }

    fn exhausted(&self) -> bool {
        match &self.coder {
            Coder::Huffman(coder) => coder.exhausted(),
            Coder::Arithmetic(_) => false,
        }
    }

    fn read_unit(&mut self, source: &mut Source<'_>, unit: &mut Unit<'_>) -> Result<(), Stop> {
        match &mut self.coder {
            Coder::Huffman(coder) => coder.read_unit(source, unit),
            Coder::Arithmetic(coder) => {
                // libjpeg cannot wait for more within arithmetic data.
                source.growing = false;
                let read = coder.read_unit(source, unit);
                source.growing = true;
                read.map_err(|_| Fault::ArithmeticTooLong.into())
            }
        }
    }
}
