//! Bits of entropy-coded data.

/// Reads bits, the highest first, up to the next marker. A zero byte after
/// 0xff is padding.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next `count` bits, in the low end.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Bits {
            bytes,
            at,
            buffer: 0,
            count: 0,
        }
    }

    /// Loads whole bytes until there are 16 bits or the data ends.
    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else {
                return;
            };
            if byte == 0xff {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits without taking them; zeros behind the end.
    pub(super) fn peek16(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if self.count >= 16 {
            self.buffer >> (self.count - 16)
        } else {
            self.buffer << (16 - self.count)
        };
        bits as u32 & 0xffff
    }

    /// Takes bits that were peeked at; `None` behind the end of the data.
    pub(super) fn skip(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        Some(())
    }

    /// Up to 16 bits; `None` behind the end of the data.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let bits = self.peek16() >> (16 - count);
        self.skip(count)?;
        Some(bits)
    }

    /// A number of up to 15 bits in JPEG's signed code: a leading zero means
    /// negative.
    pub(super) fn signed(&mut self, count: u32) -> Option<i32> {
        if count == 0 {
            return Some(0);
        }
        let bits = self.take(count)? as i32;
        if bits >> (count - 1) == 0 {
            Some(bits - (1 << count) + 1)
        } else {
            Some(bits)
        }
    }

    /// Skips the marker that must follow here.
    pub(super) fn restart(&mut self) -> Option<()> {
        self.at = self.position()?;
        (self.count, self.buffer) = (0, 0);
        let marker = self.bytes.get(self.at..self.at + 2)?;
        if marker[0] != 0xff || !(0xd0..=0xd7).contains(&marker[1]) {
            return None;
        }
        self.at += 2;
        Some(())
    }

    /// Where the marker after the data is. Loading stops there by itself; whole
    /// bytes that are left over mean that something is wrong.
    pub(super) fn position(&mut self) -> Option<usize> {
        self.fill();
        (self.count < 8).then_some(self.at)
    }
}
