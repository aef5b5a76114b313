//! The bit reader of Huffman-coded segments.

use crate::error::Stop;
use crate::huffman::{Huffman, LOOKUP};
use crate::source::Source;
use crate::warnings::Warning;

/// With this many bits, the buffer has no room for another byte.
const FULL: u32 = 57;

/// The next bits of a scan. Each MCU is decoded with a copy, which is stored when
/// the MCU is complete: an MCU within which the available input ends is decoded
/// again from its start when there is more.
///
/// `FAST` is libjpeg's path for MCUs far from the end of the available input: it
/// reads several bytes at once and does not look for markers. If it meets one,
/// the MCU is decoded again by the slow path. The two paths differ only in how
/// many bytes the buffer holds at the end of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bits {
    /// The next `count` bits, in the low end.
    buffer: u64,
    count: u32,
    /// Whether a marker came before the bits that were asked for; zeros are
    /// supplied instead.
    pub(crate) exhausted: bool,
    /// Whether the fast path met a marker.
    pub(crate) gave_up: bool,
}

impl Bits {
    /// Drops the bits that are left of a restart interval; returns how many whole
    /// bytes they were.
    pub(crate) fn drop_rest(&mut self) -> usize {
        let bytes = self.count / 8;
        self.count = 0;
        bytes as usize
    }

    /// Fills the buffer up to the next marker. If that leaves fewer than `needed`
    /// bits, zeros follow.
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

    /// Reads up to 16 bits.
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

    /// Reads a coefficient of 1 to 15 bits; a leading zero means that it is
    /// negative (`EXTEND` in the standard).
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

    /// Decodes the next symbol; 0 for a code that is not in the table.
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

    /// Decodes a code of at least `length` bits, or one near the end of the data,
    /// where too few bits are left for the lookup table.
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
