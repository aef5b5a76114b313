//! Huffman-coded scans, recovering from errors as libjpeg does.

use crate::bits::Bits;
use crate::block::ZIGZAG;
use crate::error::{Error, Stop};
use crate::huffman::Huffman;
use crate::mcu::Mcu;
use crate::scan::{Mode, Scan};
use crate::source::Source;
use crate::tables::Tables;
use crate::warnings::Warning;

/// What runs on from MCU to MCU.
pub(crate) struct HuffmanScan {
    mode: Mode,
    /// The band of coefficients, in zigzag order.
    start: usize,
    end: usize,
    /// The bit that the scan brings.
    low: u32,
    /// Of each part of the scan, where its mode needs them.
    dc: Vec<Huffman>,
    ac: Vec<Huffman>,
    bits: Bits,
    /// The last DC value of each part.
    predictions: [i32; 4],
    /// Blocks still to come without new coefficients.
    end_of_band: u32,
    /// MCUs between restart markers, 0 for none.
    pub(crate) interval: u32,
    /// MCUs left to the next one.
    left: u32,
}

impl HuffmanScan {
    pub(crate) fn new(scan: &Scan, mode: Mode, tables: &Tables) -> Result<Self, Error> {
        let table = |all: &[_; 4], number: u8, dc| {
            let definition = all.get(usize::from(number)).and_then(Option::as_ref);
            Huffman::new(definition.ok_or(Error::NoHuffmanTable(number))?, dc)
        };
        let (mut dc, mut ac) = (Vec::new(), Vec::new());
        for part in &scan.components {
            if matches!(mode, Mode::Sequential | Mode::DcFirst) {
                dc.push(table(&tables.dc, part.dc, true)?);
            }
            if matches!(mode, Mode::Sequential | Mode::AcFirst | Mode::AcRefine) {
                ac.push(table(&tables.ac, part.ac, false)?);
            }
        }
        let interval = tables.restart_interval.into();
        Ok(HuffmanScan {
            mode,
            start: scan.start.into(),
            end: scan.end.into(),
            low: scan.low.into(),
            dc,
            ac,
            bits: Bits::default(),
            predictions: [0; 4],
            end_of_band: 0,
            interval,
            left: interval,
        })
    }

    /// Whether the data of the interval has ended before the interval.
    pub(crate) fn exhausted(&self) -> bool {
        self.bits.exhausted
    }

    /// Reads an MCU. Nothing has changed where more of the file is needed for
    /// it, but for coefficients, which the next attempt sets again.
    pub(crate) fn read_mcu(
        &mut self,
        source: &mut Source<'_>,
        mcu: &mut Mcu<'_>,
    ) -> Result<(), Stop> {
        if self.interval > 0 && self.left == 0 {
            self.restart(source)?;
        }
        // Bits that are not there refine nothing, so that refining the DC may go
        // on with them.
        if !self.bits.exhausted || self.mode == Mode::DcRefine {
            let before = source.at;
            let read = match self.mode {
                Mode::Sequential => self.sequential(source, mcu),
                Mode::DcFirst => self.dc_first(source, mcu),
                Mode::DcRefine => self.dc_refine(source, mcu),
                Mode::AcFirst => self.ac_first(source, mcu),
                Mode::AcRefine => self.ac_refine(source, mcu),
            };
            if read.is_err() {
                source.at = before;
            }
            read?;
        }
        self.left = self.left.wrapping_sub(1);
        Ok(())
    }

    fn restart(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        source.discarded += self.bits.drop_rest();
        source.restart_marker()?;
        source.warnings.position.interval = source.warnings.position.row;
        self.predictions = [0; 4];
        self.end_of_band = 0;
        self.left = self.interval;
        // Before a marker that is still to be dealt with there is no data.
        if source.marker == 0 {
            self.bits.exhausted = false;
        }
        Ok(())
    }

    fn sequential(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        let far = source.available().len() >= 512 * mcu.len();
        if far && self.interval == 0 && source.marker == 0 {
            let before = source.at;
            if self.sequential_by::<true>(source, mcu)? {
                return Ok(());
            }
            source.at = before;
        }
        self.sequential_by::<false>(source, mcu).map(drop)
    }

    /// Whether it could be done that way.
    fn sequential_by<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        mcu: &mut Mcu<'_>,
    ) -> Result<bool, Stop> {
        let mut bits = self.bits;
        let mut predictions = self.predictions;
        for number in 0..mcu.len() {
            let (part, block) = mcu.block(number);
            let (dc, ac) = (&self.dc[part], &self.ac[part]);
            let size = bits.symbol::<FAST>(source, dc)?;
            if size > 0 {
                let difference = bits.signed::<FAST>(source, size.into())?;
                predictions[part] = predictions[part].wrapping_add(difference);
            }
            block[0] = predictions[part] as i16;
            let mut k = 1;
            while k < 64 {
                let symbol = bits.symbol::<FAST>(source, ac)?;
                let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                if size > 0 {
                    k += run;
                    block[ZIGZAG[k]] = bits.signed::<FAST>(source, size)? as i16;
                } else if run < 15 {
                    break;
                } else {
                    k += 15;
                }
                k += 1;
            }
        }
        if FAST && bits.gave_up {
            return Ok(false);
        }
        (self.bits, self.predictions) = (bits, predictions);
        Ok(true)
    }

    fn dc_first(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        let mut bits = self.bits;
        let mut predictions = self.predictions;
        for number in 0..mcu.len() {
            let (part, block) = mcu.block(number);
            let size = bits.symbol::<false>(source, &self.dc[part])?;
            if size > 0 {
                let difference = bits.signed::<false>(source, size.into())?;
                let sum = predictions[part].checked_add(difference);
                predictions[part] = sum.ok_or(Error::Overflow)?;
            }
            block[0] = (predictions[part] << self.low) as i16;
        }
        (self.bits, self.predictions) = (bits, predictions);
        Ok(())
    }

    fn dc_refine(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        let mut bits = self.bits;
        for number in 0..mcu.len() {
            if bits.take::<false>(source, 1)? == 1 {
                mcu.block(number).1[0] |= 1 << self.low;
            }
        }
        self.bits = bits;
        Ok(())
    }

    fn ac_first(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        if self.end_of_band > 0 {
            self.end_of_band -= 1;
            return Ok(());
        }
        let mut bits = self.bits;
        let mut end_of_band = 0;
        let (_, block) = mcu.block(0);
        let mut k = self.start;
        while k <= self.end {
            let symbol = bits.symbol::<false>(source, &self.ac[0])?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size > 0 {
                k += run as usize;
                let value = bits.signed::<false>(source, size)?;
                block[ZIGZAG[k]] = (value << self.low) as i16;
            } else if run < 15 {
                end_of_band = (1 << run) - 1;
                if run > 0 {
                    end_of_band += bits.take::<false>(source, run)?;
                }
                break;
            } else {
                k += 15;
            }
            k += 1;
        }
        (self.bits, self.end_of_band) = (bits, end_of_band);
        Ok(())
    }

    /// One more bit for every coefficient that is not zero yet, and new ones
    /// among those that are.
    fn ac_refine(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        let (_, block) = mcu.block(0);
        // A second attempt must find the new ones zero.
        let (mut new, mut count) = ([0; 64], 0);
        let refined = self.ac_refine_block(source, block, &mut |place| {
            new[count] = place;
            count += 1;
        });
        if refined.is_err() {
            for place in &new[..count] {
                block[*place] = 0;
            }
        }
        refined
    }

    fn ac_refine_block(
        &mut self,
        source: &mut Source<'_>,
        block: &mut [i16; 64],
        new: &mut impl FnMut(usize),
    ) -> Result<(), Stop> {
        let mut bits = self.bits;
        let mut end_of_band = self.end_of_band;
        let bit = 1i16 << self.low;
        let mut k = self.start;
        while end_of_band == 0 && k <= self.end {
            let symbol = bits.symbol::<false>(source, &self.ac[0])?;
            let (mut run, size) = (u32::from(symbol >> 4), symbol & 15);
            let mut value = 0;
            if size > 0 {
                if size > 1 {
                    source.warnings.add(Warning::BadCode, 1);
                }
                let positive = bits.take::<false>(source, 1)? == 1;
                value = if positive { bit } else { -bit };
            } else if run < 15 {
                end_of_band = 1 << run;
                if run > 0 {
                    end_of_band += bits.take::<false>(source, run)?;
                }
                break;
            }
            while k <= self.end {
                let coefficient = &mut block[ZIGZAG[k]];
                if *coefficient != 0 {
                    refine(coefficient, bit, &mut bits, source)?;
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
            }
            if value != 0 {
                // Damaged data may put it behind the band.
                block[ZIGZAG[k]] = value;
                new(ZIGZAG[k]);
            }
            k += 1;
        }
        if end_of_band > 0 {
            while k <= self.end {
                let coefficient = &mut block[ZIGZAG[k]];
                if *coefficient != 0 {
                    refine(coefficient, bit, &mut bits, source)?;
                }
                k += 1;
            }
            end_of_band -= 1;
        }
        (self.bits, self.end_of_band) = (bits, end_of_band);
        Ok(())
    }
}

fn refine(
    coefficient: &mut i16,
    bit: i16,
    bits: &mut Bits,
    source: &mut Source<'_>,
) -> Result<(), Stop> {
    if bits.take::<false>(source, 1)? == 1 && *coefficient & bit == 0 {
        let step = if *coefficient >= 0 { bit } else { -bit };
        *coefficient = coefficient.wrapping_add(step);
    }
    Ok(())
}
