//! Bits of fax data, the first one highest in its byte.

/// Reads bits. Past the end of the data, a few that are left are followed by zeros, as in libtiff
/// (`tif_fax3.h`, `NeedBits8`), on which it depends what a damaged end is taken for.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    data: std::slice::Iter<'a, u8>,
    /// The next bits, the first one lowest.
    next: u32,
    count: u8,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Bits {
            data: data.iter(),
            next: 0,
            count: 0,
        }
    }

    /// The next bits, 13 at most, the first one lowest; `None` where there are none.
    pub(super) fn peek(&mut self, count: u8) -> Option<u32> {
        while self.count < count {
            match self.data.next() {
                Some(byte) => {
                    self.next |= u32::from(byte.reverse_bits()) << self.count;
                    self.count += 8;
                }
                None if self.count == 0 => return None,
                None => self.count = count,
            }
        }
        Some(self.next & ((1 << count) - 1))
    }

    /// Skips bits that [`Self::peek`] returned.
    pub(super) fn skip(&mut self, count: u8) {
        self.next >>= count;
        self.count = self.count.saturating_sub(count);
    }

    /// Skips to the next byte boundary.
    pub(super) fn align(&mut self) {
        self.skip(self.count % 8);
    }
}
