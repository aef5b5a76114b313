//! Arithmetic-coded scans: the statistical models of the standard's annexes F
//! and G, with libjpeg's error recovery.

use crate::arithmetic_bits::{BinaryDecoder, Context, EVEN};
use crate::block::{Block, ZIGZAG};
use crate::error::Stop;
use crate::mcu::Mcu;
use crate::scan::{Mode, Scan, ScanComponent};
use crate::source::Source;
use crate::tables::{Conditioning, Tables};
use crate::warnings::Warning;

/// The state of the decoder from one MCU to the next.
pub(crate) struct ArithmeticScan {
    mode: Mode,
    components: Vec<ScanComponent>,
    /// Spectral selection: the first and the last coefficient, in zigzag order.
    start: usize,
    end: usize,
    /// Successive approximation: the bit position of this scan.
    low: u32,
    conditioning: [Conditioning; 16],
    bits: BinaryDecoder,
    /// Contexts of DC differences and of AC coefficients, by table number.
    dc: [[Context; 64]; 16],
    ac: [[Context; 256]; 16],
    even: Context,
    /// For each component of the scan, the last DC value, and the conditioning
    /// category of its last difference.
    predictions: [i32; 4],
    classes: [usize; 4],
    /// Whether an impossible code was met since the last restart marker; MCUs are
    /// left at zero up to the next one.
    broken: bool,
    /// MCUs between restart markers, 0 for none.
    pub(crate) interval: u32,
    /// MCUs left before the next restart marker.
    left: u32,
}

/// Why an MCU could not be decoded.
enum Failure {
    Stop(Stop),
    BadCode,
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

impl ArithmeticScan {
    pub(crate) fn new(scan: &Scan, mode: Mode, tables: &Tables) -> Self {
        let interval = tables.restart_interval.into();
        ArithmeticScan {
            mode,
            components: scan.components.clone(),
            start: scan.start.into(),
            end: scan.end.into(),
            low: scan.low.into(),
            conditioning: tables.conditioning,
            bits: BinaryDecoder::new(),
            dc: [[0; 64]; 16],
            ac: [[0; 256]; 16],
            even: EVEN,
            predictions: [0; 4],
            classes: [0; 4],
            broken: false,
            interval,
            left: interval,
        }
    }

    pub(crate) fn read_mcu(
        &mut self,
        source: &mut Source<'_>,
        mcu: &mut Mcu<'_>,
    ) -> Result<(), Stop> {
        if self.interval > 0 {
            if self.left == 0 {
                self.restart(source)?;
            }
            self.left -= 1;
        }
        if self.broken && self.mode != Mode::DcRefine {
            return Ok(());
        }
        match self.read_blocks(source, mcu) {
            Ok(()) => Ok(()),
            Err(Failure::Stop(stop)) => Err(stop),
            Err(Failure::BadCode) => {
                source.warnings.add(Warning::BadCode, 1);
                self.broken = true;
                Ok(())
            }
        }
    }

    fn restart(&mut self, source: &mut Source<'_>) -> Result<(), Stop> {
        source.restart_marker()?;
        source.warnings.position.interval = source.warnings.position.row;
        self.bits = BinaryDecoder::new();
        self.dc = [[0; 64]; 16];
        self.ac = [[0; 256]; 16];
        self.predictions = [0; 4];
        self.classes = [0; 4];
        self.broken = false;
        self.left = self.interval;
        Ok(())
    }

    fn read_blocks(&mut self, source: &mut Source<'_>, mcu: &mut Mcu<'_>) -> Result<(), Failure> {
        for number in 0..mcu.len() {
            let (component, block) = mcu.block(number);
            match self.mode {
                Mode::Sequential => {
                    block[0] = self.dc_value(source, component)? as i16;
                    self.ac_band(source, component, block)?;
                }
                Mode::DcFirst => block[0] = (self.dc_value(source, component)? << self.low) as i16,
                Mode::DcRefine => {
                    if self.bits.next(source, &mut self.even)? {
                        block[0] |= 1 << self.low;
                    }
                }
                Mode::AcFirst => self.ac_band(source, component, block)?,
                Mode::AcRefine => self.ac_refine(source, block)?,
            }
        }
        Ok(())
    }

    /// The next DC value of a component of the scan, modulo 2^16.
    fn dc_value(&mut self, source: &mut Source<'_>, component: usize) -> Result<i32, Failure> {
        let table = usize::from(self.components[component].dc);
        let contexts = &mut self.dc[table];
        let class = self.classes[component];
        if !self.bits.next(source, &mut contexts[class])? {
            self.classes[component] = 0;
            return Ok(self.predictions[component]);
        }
        let negative = self.bits.next(source, &mut contexts[class + 1])?;
        let mut at = class + 2 + usize::from(negative);
        let mut size = i32::from(self.bits.next(source, &mut contexts[at])?);
        if size != 0 {
            (at, size) = category(&mut self.bits, source, contexts, (20, size))?;
        }
        let Conditioning {
            dc_lower, dc_upper, ..
        } = self.conditioning[table];
        let sign = 4 * usize::from(negative);
        self.classes[component] = if size < (1 << dc_lower) >> 1 {
            0
        } else if size > (1 << dc_upper) >> 1 {
            12 + sign
        } else {
            4 + sign
        };
        let context = &mut contexts[at + 14];
        let difference = value(&mut self.bits, source, context, size, negative)?;
        self.predictions[component] = (self.predictions[component] + difference) & 0xffff;
        Ok(self.predictions[component])
    }

    /// The AC coefficients of a block within the spectral selection.
    fn ac_band(
        &mut self,
        source: &mut Source<'_>,
        component: usize,
        block: &mut Block,
    ) -> Result<(), Failure> {
        let table = usize::from(self.components[component].ac);
        let contexts = &mut self.ac[table];
        let (mut k, end) = match self.mode {
            Mode::Sequential => (1, 63),
            _ => (self.start, self.end),
        };
        while k <= end {
            if self.bits.next(source, &mut contexts[3 * (k - 1)])? {
                break;
            }
            while !self.bits.next(source, &mut contexts[3 * (k - 1) + 1])? {
                k += 1;
                if k > end {
                    return Err(Failure::BadCode);
                }
            }
            let negative = self.bits.next(source, &mut self.even)?;
            let mut at = 3 * (k - 1) + 2;
            let mut size = i32::from(self.bits.next(source, &mut contexts[at])?);
            if size != 0 && self.bits.next(source, &mut contexts[at])? {
                size <<= 1;
                let low = k <= usize::from(self.conditioning[table].ac);
                let start = if low { 189 } else { 217 };
                (at, size) = category(&mut self.bits, source, contexts, (start, size))?;
            }
            let context = &mut contexts[at + 14];
            let value = value(&mut self.bits, source, context, size, negative)?;
            let shift = match self.mode {
                Mode::Sequential => 0,
                _ => self.low,
            };
            block[ZIGZAG[k]] = (value << shift) as i16;
            k += 1;
        }
        Ok(())
    }

    /// A refinement scan: one more bit for each coefficient that is not zero, and
    /// coefficients of magnitude one among those that are zero.
    fn ac_refine(&mut self, source: &mut Source<'_>, block: &mut Block) -> Result<(), Failure> {
        let contexts = &mut self.ac[usize::from(self.components[0].ac)];
        let bit = 1i16 << self.low;
        let last = (1..=self.end).rev().find(|k| block[ZIGZAG[*k]] != 0);
        let last = last.unwrap_or(0);
        let mut k = self.start;
        while k <= self.end {
            if k > last && self.bits.next(source, &mut contexts[3 * (k - 1)])? {
                break;
            }
            loop {
                let coefficient = &mut block[ZIGZAG[k]];
                let at = 3 * (k - 1);
                if *coefficient != 0 {
                    if self.bits.next(source, &mut contexts[at + 2])? {
                        let step = if *coefficient < 0 { -bit } else { bit };
                        *coefficient = coefficient.wrapping_add(step);
                    }
                    break;
                }
                if self.bits.next(source, &mut contexts[at + 1])? {
                    let negative = self.bits.next(source, &mut self.even)?;
                    *coefficient = if negative { -bit } else { bit };
                    break;
                }
                k += 1;
                if k > self.end {
                    return Err(Failure::BadCode);
                }
            }
            k += 1;
        }
        Ok(())
    }
}

/// The rest of a magnitude category: the context that ended it, and the size that it doubled to.
fn category(
    bits: &mut BinaryDecoder,
    source: &mut Source<'_>,
    contexts: &mut [Context],
    (mut at, mut size): (usize, i32),
) -> Result<(usize, i32), Failure> {
    while bits.next(source, &mut contexts[at])? {
        size <<= 1;
        if size == 0x8000 {
            return Err(Failure::BadCode);
        }
        at += 1;
    }
    Ok((at, size))
}

/// The signed value of a magnitude category, whose low-order bits share a context.
fn value(
    bits: &mut BinaryDecoder,
    source: &mut Source<'_>,
    context: &mut Context,
    mut size: i32,
    negative: bool,
) -> Result<i32, Failure> {
    let mut value = size;
    while size > 1 {
        size >>= 1;
        if bits.next(source, context)? {
            value |= size;
        }
    }
    value += 1;
    Ok(if negative { -value } else { value })
}
