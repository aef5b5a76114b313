//! Huffman-coded scans, with libjpeg's error recovery.

use crate::bits::Bits;
use crate::block::ZIGZAG;
use crate::error::{Error, Stop};
use crate::huffman::Huffman;
use crate::mcu::Mcu;
use crate::scan::{Mode, Scan};
use crate::source::Source;
use crate::tables::Tables;
use crate::warnings::Warning;

/// The state of the decoder from one MCU to the next.
pub(crate) struct HuffmanScan {
    mode: Mode,
    /// Spectral selection: the first and the last coefficient, in zigzag order.
    start: usize,
    end: usize,
    /// Successive approximation: the bit position of this scan.
    low: u32,
    /// The tables of each component of the scan, where its mode needs them.
    dc: Vec<Huffman>,
    ac: Vec<Huffman>,
    bits: Bits,
    /// The last DC value of each component of the scan.
    predictions: [i32; 4],
    /// Blocks left in the current end-of-band run.
    end_of_band: u32,
    /// MCUs between restart markers, 0 for none.
    pub(crate) interval: u32,
    /// MCUs left before the next restart marker.
    left: u32,
}

impl HuffmanScan {
    pub(crate) fn new(scan: &Scan, mode: Mode, tables: &Tables) -> Result<Self, Error> {
        let table = |all: &[_; 4], number: u8, dc| {
            let definition = all.get(usize::from(number)).and_then(Option::as_ref);
            Huffman::new(definition.ok_or(Error::NoHuffmanTable(number))?, dc)
        };
        let (mut dc, mut ac) = (Vec::new(), Vec::new());
        for component in &scan.components {
            if matches!(mode, Mode::Sequential | Mode::DcFirst) {
                dc.push(table(&tables.dc, component.dc, true)?);
            }
            if matches!(mode, Mode::Sequential | Mode::AcFirst | Mode::AcRefine) {
                ac.push(table(&tables.ac, component.ac, false)?);
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

    /// Whether a marker came before the end of the restart interval.
    pub(crate) fn exhausted(&self) -> bool {
        self.bits.exhausted
    }

    /// Decodes an MCU. If more input is needed for it, nothing has changed but
    /// coefficients, which the next attempt overwrites.
    pub(crate) fn read_mcu(
        &mut self,
        source: &mut Source<'_>,
        mcu: &mut Mcu<'_>,
    ) -> Result<(), Stop> {
        if self.interval > 0 && self.left == 0 {
            self.restart(source)?;
        }
        // libjpeg goes on refining DC values after a marker: the zeros that are
        // supplied change none.
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
        // If a marker is pending, there is no data before it.
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

    /// Decodes a sequential MCU; `false` if the fast path met a marker.
    fn sequential_by<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        mcu: &mut Mcu<'_>,
    ) -> Result<bool, Stop> {
        let mut bits = self.bits;
        let mut predictions = self.predictions;
        for number in 0..mcu.len() {
            let (component, block) = mcu.block(number);
            let (dc, ac) = (&self.dc[component], &self.ac[component]);
            let size = bits.symbol::<FAST>(source, dc)?;
            if size > 0 {
                let difference = bits.signed::<FAST>(source, size.into())?;
                predictions[component] = predictions[component].wrapping_add(difference);
            }
            block[0] = predictions[component] as i16;
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
            let (component, block) = mcu.block(number);
            let size = bits.symbol::<false>(source, &self.dc[component])?;
            if size > 0 {
                let difference = bits.signed::<false>(source, size.into())?;
                let sum = predictions[component].checked_add(difference);
                predictions[component] = sum.ok_or(Error::Overflow)?;
            }
            block[0] = (predictions[component] << self.low) as i16;
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

    /// A refinement scan: one more bit for each coefficient that is not zero, and
    /// coefficients of magnitude one among those that are zero.
    fn ac_refine(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Stop> {
        let (_, block) = mcu.block(0);
        // If more input is needed, the new coefficients are set back to zero for the
        // next attempt.
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
                // In damaged data, this may be past the end of the band.
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
