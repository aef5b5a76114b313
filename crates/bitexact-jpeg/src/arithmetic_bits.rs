//! The binary arithmetic decoder of the standard's annex D.

use crate::error::Stop;
use crate::source::Source;

/// The state of one context: an index into `STATES`, and the more probable
/// symbol in the highest bit.
pub(crate) type Context = u8;

/// A context with a fixed probability of one half.
pub(crate) const EVEN: Context = 113;

pub(crate) struct BinaryDecoder {
    /// The code register and the size of the interval (C and A in the standard).
    code: i64,
    size: i64,
    /// Bits to shift before the next byte is read; negative until the first two
    /// bytes are.
    left: i32,
}

impl BinaryDecoder {
    pub(crate) fn new() -> Self {
        BinaryDecoder {
            code: 0,
            size: 0,
            left: -16,
        }
    }

    /// Decodes the next binary decision in a context and adapts the context.
    pub(crate) fn next(
        &mut self,
        source: &mut Source<'_>,
        context: &mut Context,
    ) -> Result<bool, Stop> {
        while self.size < 0x8000 {
            self.left -= 1;
            if self.left < 0 {
                let byte = next_byte(source)?;
                self.code = self.code << 8 | i64::from(byte);
                self.left += 8;
                if self.left < 0 {
                    self.left += 1;
                    if self.left == 0 {
                        self.size = 0x8000;
                    }
                }
            }
            self.size <<= 1;
        }
        let state = *context;
        let (estimate, after_less, after_more, switch) = STATES[usize::from(state & 0x7f)];
        let estimate = i64::from(estimate);
        let more_probable = state & 0x80;
        let less = (more_probable ^ if switch { 0x80 } else { 0 }) | after_less;
        let more = more_probable | after_more;
        self.size -= estimate;
        let bound = self.size << self.left;
        let mut symbol = more_probable;
        if self.code >= bound {
            self.code -= bound;
            if self.size < estimate {
                *context = more;
            } else {
                *context = less;
                symbol ^= 0x80;
            }
            self.size = estimate;
        } else if self.size < 0x8000 {
            if self.size < estimate {
                *context = less;
                symbol ^= 0x80;
            } else {
                *context = more;
            }
        }
        Ok(symbol != 0)
    }
}

/// The next byte of the entropy-coded segment; zeros once a marker was met, which
/// the standard allows an encoder to rely on.
fn next_byte(source: &mut Source<'_>) -> Result<u8, Stop> {
    if source.marker != 0 {
        return Ok(0);
    }
    let mut byte = source.byte()?;
    if byte == 0xff {
        while byte == 0xff {
            byte = source.byte()?;
        }
        if byte != 0 {
            source.marker = byte;
            return Ok(0);
        }
        byte = 0xff;
    }
    Ok(byte)
}

/// Table D.3: the probability estimate of the less probable symbol, the next
/// state after it and after the more probable one, and whether the two symbols
/// are exchanged.
const STATES: [(u16, u8, u8, bool); 114] = [
    (0x5a1d, 1, 1, true),
    (0x2586, 14, 2, false),
    (0x1114, 16, 3, false),
    (0x080b, 18, 4, false),
    (0x03d8, 20, 5, false),
    (0x01da, 23, 6, false),
    (0x00e5, 25, 7, false),
    (0x006f, 28, 8, false),
    (0x0036, 30, 9, false),
    (0x001a, 33, 10, false),
    (0x000d, 35, 11, false),
    (0x0006, 9, 12, false),
    (0x0003, 10, 13, false),
    (0x0001, 12, 13, false),
    (0x5a7f, 15, 15, true),
    (0x3f25, 36, 16, false),
    (0x2cf2, 38, 17, false),
    (0x207c, 39, 18, false),
    (0x17b9, 40, 19, false),
    (0x1182, 42, 20, false),
    (0x0cef, 43, 21, false),
    (0x09a1, 45, 22, false),
    (0x072f, 46, 23, false),
    (0x055c, 48, 24, false),
    (0x0406, 49, 25, false),
    (0x0303, 51, 26, false),
    (0x0240, 52, 27, false),
    (0x01b1, 54, 28, false),
    (0x0144, 56, 29, false),
    (0x00f5, 57, 30, false),
    (0x00b7, 59, 31, false),
    (0x008a, 60, 32, false),
    (0x0068, 62, 33, false),
    (0x004e, 63, 34, false),
    (0x003b, 32, 35, false),
    (0x002c, 33, 9, false),
    (0x5ae1, 37, 37, true),
    (0x484c, 64, 38, false),
    (0x3a0d, 65, 39, false),
    (0x2ef1, 67, 40, false),
    (0x261f, 68, 41, false),
    (0x1f33, 69, 42, false),
    (0x19a8, 70, 43, false),
    (0x1518, 72, 44, false),
    (0x1177, 73, 45, false),
    (0x0e74, 74, 46, false),
    (0x0bfb, 75, 47, false),
    (0x09f8, 77, 48, false),
    (0x0861, 78, 49, false),
    (0x0706, 79, 50, false),
    (0x05cd, 48, 51, false),
    (0x04de, 50, 52, false),
    (0x040f, 50, 53, false),
    (0x0363, 51, 54, false),
    (0x02d4, 52, 55, false),
    (0x025c, 53, 56, false),
    (0x01f8, 54, 57, false),
    (0x01a4, 55, 58, false),
    (0x0160, 56, 59, false),
    (0x0125, 57, 60, false),
    (0x00f6, 58, 61, false),
    (0x00cb, 59, 62, false),
    (0x00ab, 61, 63, false),
    (0x008f, 61, 32, false),
    (0x5b12, 65, 65, true),
    (0x4d04, 80, 66, false),
    (0x412c, 81, 67, false),
    (0x37d8, 82, 68, false),
    (0x2fe8, 83, 69, false),
    (0x293c, 84, 70, false),
    (0x2379, 86, 71, false),
    (0x1edf, 87, 72, false),
    (0x1aa9, 87, 73, false),
    (0x174e, 72, 74, false),
    (0x1424, 72, 75, false),
    (0x119c, 74, 76, false),
    (0x0f6b, 74, 77, false),
    (0x0d51, 75, 78, false),
    (0x0bb6, 77, 79, false),
    (0x0a40, 77, 48, false),
    (0x5832, 80, 81, true),
    (0x4d1c, 88, 82, false),
    (0x438e, 89, 83, false),
    (0x3bdd, 90, 84, false),
    (0x34ee, 91, 85, false),
    (0x2eae, 92, 86, false),
    (0x299a, 93, 87, false),
    (0x2516, 86, 71, false),
    (0x5570, 88, 89, true),
    (0x4ca9, 95, 90, false),
    (0x44d9, 96, 91, false),
    (0x3e22, 97, 92, false),
    (0x3824, 99, 93, false),
    (0x32b4, 99, 94, false),
    (0x2e17, 93, 86, false),
    (0x56a8, 95, 96, true),
    (0x4f46, 101, 97, false),
    (0x47e5, 102, 98, false),
    (0x41cf, 103, 99, false),
    (0x3c3d, 104, 100, false),
    (0x375e, 99, 93, false),
    (0x5231, 105, 102, false),
    (0x4c0f, 106, 103, false),
    (0x4639, 107, 104, false),
    (0x415e, 103, 99, false),
    (0x5627, 105, 106, true),
    (0x50e7, 108, 107, false),
    (0x4b85, 109, 103, false),
    (0x5597, 110, 109, false),
    (0x504f, 111, 107, false),
    (0x5a10, 110, 111, true),
    (0x5522, 112, 109, false),
    (0x59eb, 112, 111, true),
    (0x5a1d, 113, 113, false),
];
