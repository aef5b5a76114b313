//! Bits of Huffman-coded data.

use crate::error::Stop;
use crate::huffman::{Huffman, LOOKUP};
use crate::source::Source;
use crate::warnings::Warning;

/// A buffer of bits is full with no room for another byte.
const FULL: u32 = 57;

/// The next bits of a scan. A copy is taken for each MCU of a scan and put
/// back when the MCU is complete, so that it can be read again when the block
/// of the file ends within it.
///
/// `FAST` is libjpeg's way far from the end of what was handed over: more bytes
/// at once and no look at markers. Where one comes it gives up, and the MCU is
/// read again the slow way. The results differ in nothing but in how many bytes
/// are in the buffer at the end of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bits {
    /// The next `count` bits, in the low end.
    buffer: u64,
    count: u32,
    /// Whether a marker came before the bits that were asked for; zeros are
    /// given instead.
    pub(crate) exhausted: bool,
    /// Whether a marker came in the fast way.
    pub(crate) gave_up: bool,
}

impl Bits {
    /// Drops what is left of an interval and gives the number of whole bytes.
    pub(crate) fn drop_rest(&mut self) -> usize {
        let bytes = self.count / 8;
        self.count = 0;
        bytes as usize
    }

    /// Fills the buffer up to the next marker, and with zeros behind it where
    /// `needed` bits are not there.
    #[cold]
    fn fill(&mut self, source: &mut Source<'_>, needed: u32) -> Result<(), Stop> {
        if source.marker == 0 {
            let available = source.available();
            let mut at = 0;
            let mut next = || {
                let byte = available.get(at).copied();
                at += 1;
                byte.ok_or(Stop::NeedsData)
            };
            while self.count < FULL {
                let mut byte = next()?;
                if byte == 0xff {
                    while byte == 0xff {
                        byte = next()?;
                    }
                    if byte != 0 {
                        source.marker = byte;
                        break;
                    }
                    byte = 0xff;
                }
                self.buffer = self.buffer << 8 | u64::from(byte);
                self.count += 8;
            }
            source.at += at;
            if source.marker == 0 {
                return Ok(());
            }
        }
        if needed > self.count {
            if !self.exhausted {
                source.warnings.add(Warning::EndsEarly, 1);
                self.exhausted = true;
            }
            self.buffer <<= FULL - self.count;
            self.count = FULL;
        }
        Ok(())
    }

    /// Adds six bytes where at most 16 bits are left.
    fn fill_fast(&mut self, source: &mut Source<'_>) {
        if self.count > 16 {
            return;
        }
        let Some(window) = source.available().first_chunk::<13>() else {
            self.gave_up = true;
            self.buffer <<= 48;
            self.count += 48;
            return;
        };
        if !window[..6].contains(&0xff) {
            for byte in &window[..6] {
                self.buffer = self.buffer << 8 | u64::from(*byte);
            }
            self.count += 48;
            source.at += 6;
            return;
        }
        let mut at = 0;
        for _ in 0..6 {
            let byte = window[at];
            self.buffer = self.buffer << 8 | u64::from(byte);
            if byte != 0xff {
                at += 1;
            } else if window[at + 1] == 0 {
                at += 2;
            } else {
                self.gave_up = true;
                self.buffer &= !0xff;
            }
        }
        self.count += 48;
        source.at += at;
    }

    /// Up to 16 bits.
    #[inline]
    pub(crate) fn take<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        count: u32,
    ) -> Result<u32, Stop> {
        if FAST {
            self.fill_fast(source);
        } else if self.count < count {
            self.fill(source, count)?;
        }
        self.count -= count;
        Ok((self.buffer >> self.count) as u32 & ((1 << count) - 1))
    }

    /// A number of 1 to 15 bits in JPEG's signed code: a leading zero means
    /// negative.
    #[inline]
    pub(crate) fn signed<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        count: u32,
    ) -> Result<i32, Stop> {
        let bits = self.take::<FAST>(source, count)? as i32;
        Ok(if bits >> (count - 1) == 0 {
            bits - (1 << count) + 1
        } else {
            bits
        })
    }

    /// The next symbol; 0 for a code that is not in the table.
    #[inline]
    pub(crate) fn symbol<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        table: &Huffman,
    ) -> Result<u8, Stop> {
        if FAST {
            self.fill_fast(source);
        } else if self.count < LOOKUP {
            self.fill(source, 0)?;
        }
        let mut length = 1;
        if self.count >= LOOKUP {
            let next = (self.buffer >> (self.count - LOOKUP)) as u8;
            let (symbol, known) = table.lookup(next);
            if known > 0 {
                self.count -= known;
                return Ok(symbol);
            }
            length = LOOKUP + 1;
        }
        self.long_symbol::<FAST>(source, table, length)
    }

    /// A code of at least `length` bits, or with fewer than a table's index left.
    #[cold]
    fn long_symbol<const FAST: bool>(
        &mut self,
        source: &mut Source<'_>,
        table: &Huffman,
        mut length: u32,
    ) -> Result<u8, Stop> {
        let one = |bits: &mut Self, source: &mut Source<'_>, count: u32| {
            if !FAST && bits.count < count {
                bits.fill(source, count)?;
            }
            bits.count -= count;
            Ok::<_, Stop>((bits.buffer >> bits.count) as u32 & ((1 << count) - 1))
        };
        let mut code = one(self, source, length)?;
        loop {
            if length > 16 {
                source.warnings.add(Warning::BadCode, 1);
                return Ok(0);
            }
            if let Some(symbol) = table.symbol(code, length) {
                return Ok(symbol);
            }
            code = code << 1 | one(self, source, 1)?;
            length += 1;
        }
    }
}
