//! Reading a scan: the order in which its units fill blocks.

use super::arithmetic::Arithmetic;
use super::fault::{Fault, Stop};
use super::frame::{Block, Frame};
use super::huffman_scan::HuffmanScan;
use super::progress::Progress;
use super::scan::{Part, Scan};
use super::segments::Segments;
use super::signs::Place;
use super::source::Source;
use super::unit::{BlockPlace, Unit};

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
