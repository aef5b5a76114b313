//! Decoding a scan: the order of its MCUs, and the blocks that each one fills.

use crate::arithmetic_scan::ArithmeticScan;
use crate::block::Block;
use crate::error::{Error, Stop};
use crate::frame::Frame;
use crate::huffman_scan::HuffmanScan;
use crate::mcu::{BlockPlace, Mcu};
use crate::progress::Progress;
use crate::scan::{Scan, ScanComponent};
use crate::segments::Segments;
use crate::source::Source;
use crate::warnings::Position;

enum Coder {
    Huffman(Box<HuffmanScan>),
    Arithmetic(Box<ArithmeticScan>),
}

/// A scan that is being decoded.
pub(crate) struct ScanDecoder {
    coder: Coder,
    alone: bool,
    components: Vec<ScanComponent>,
    /// MCUs in a row of the scan.
    columns: usize,
    /// Whether the blocks hold nothing of earlier scans, so that an MCU that is
    /// decoded again starts from zeros.
    fresh: bool,
}

impl ScanDecoder {
    /// Checks the scan and prepares its tables.
    pub(crate) fn new(
        scan: &Scan,
        segments: &mut Segments,
        progress: &mut Progress,
        source: &mut Source<'_>,
        fresh: bool,
    ) -> Result<Self, Error> {
        let tables = &segments.tables;
        let frame = segments.frame.as_mut().ok_or(Error::NoFrame)?;
        let alone = scan.components.len() == 1;
        let blocks: usize = (scan.components.iter())
            .map(|selected| &frame.components[selected.component])
            .map(|c| c.h * c.v)
            .sum();
        if !alone && blocks > 10 {
            return Err(Error::McuTooLarge);
        }
        for selected in &scan.components {
            let component = &mut frame.components[selected.component];
            if component.quantization.is_none() {
                let table = tables.quantization.get(usize::from(component.table));
                let table = table.copied().flatten();
                component.quantization = Some(table.ok_or(Error::NoQuantization(component.table))?);
            }
        }
        let mode = scan.mode(frame, source)?;
        if frame.progressive {
            progress.begin(scan, source);
        }
        let coder = if frame.arithmetic {
            Coder::Arithmetic(Box::new(ArithmeticScan::new(scan, mode, tables)))
        } else {
            Coder::Huffman(Box::new(HuffmanScan::new(scan, mode, tables)?))
        };
        let columns = if alone {
            frame.components[scan.components[0].component].columns
        } else {
            frame.width.div_ceil(8 * frame.h_max)
        };
        source.warnings.position = Position::default();
        Ok(ScanDecoder {
            coder,
            alone,
            components: scan.components.clone(),
            columns,
            fresh,
        })
    }

    /// Decodes row `row` of MCUs into `blocks`, whose first row of MCUs is `first`.
    pub(crate) fn read_row(
        &mut self,
        source: &mut Source<'_>,
        frame: &Frame,
        blocks: &mut [Vec<Block>],
        (row, first): (usize, usize),
        last_good_row: &mut usize,
    ) -> Result<(), Error> {
        if !frame.progressive {
            let start = Some(frame.first_row(row));
            source.warnings.position.row = start;
            if row == 0 {
                source.warnings.position.interval = self.restarts().then_some(0);
            }
        }
        let component = &frame.components[self.components[0].component];
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
                let mut mcu = Mcu {
                    blocks: &mut *blocks,
                    places: &places,
                    column,
                };
                while let Err(stop) = self.read_mcu(source, &mut mcu) {
                    match stop {
                        Stop::Error(error) => return Err(error),
                        Stop::NeedsData if !source.more() => return Err(Error::CutOff),
                        Stop::NeedsData if self.fresh => mcu.clear(),
                        Stop::NeedsData => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn places(&self, frame: &Frame, row: usize, line: usize) -> Vec<BlockPlace> {
        let mut places = Vec::with_capacity(10);
        for (in_scan, ScanComponent { component, .. }) in self.components.iter().enumerate() {
            let (index, component) = (*component, &frame.components[*component]);
            let (h, v) = if self.alone {
                (1, 1)
            } else {
                (component.h, component.v)
            };
            let start = (row * component.v + line) * component.stride;
            places.extend((0..h * v).map(|block| BlockPlace {
                in_scan,
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

    fn read_mcu(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        match &mut self.coder {
            Coder::Huffman(coder) => coder.read_mcu(source, mcu),
            Coder::Arithmetic(coder) => {
                // libjpeg's arithmetic decoder cannot be suspended to wait for more
                // input.
                source.growing = false;
                let read = coder.read_mcu(source, mcu);
                source.growing = true;
                read.map_err(|_| Error::ArithmeticTooLong.into())
            }
        }
    }
}
