//! Huffman tables.

use crate::error::Error;

/// The lookup table resolves codes of up to this many bits.
pub(crate) const LOOKUP: u32 = 8;

/// A table as a DHT segment defines it. It is checked only when a scan uses it.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// How many codes have 1 to 16 bits.
    pub(crate) counts: [u8; 16],
    pub(crate) symbols: [u8; 256],
}

impl Definition {
    pub(crate) fn new(counts: [u8; 16], symbols: &[u8]) -> Self {
        let mut all = [0; 256];
        all[..symbols.len()].copy_from_slice(symbols);
        Definition {
            counts,
            symbols: all,
        }
    }
}

/// A table that is prepared for decoding.
#[derive(Debug, Clone)]
pub(crate) struct Huffman {
    /// For each value of the next `LOOKUP` bits: the symbol and the length of its
    /// code; length 0 if the code is longer.
    lookup: Box<[(u8, u8); 256]>,
    /// For each code length from 1: the last code plus one, or 0 if there is none,
    /// and the offset from a code to the index of its symbol.
    lengths: [(u32, i32); 16],
    symbols: [u8; 256],
}

impl Huffman {
    /// Prepares a table. `dc`: whether the symbols are categories of DC
    /// differences, which are at most 15.
    pub(crate) fn new(definition: &Definition, dc: bool) -> Result<Self, Error> {
        let Definition { counts, symbols } = definition;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total > 256 || (dc && symbols[..total].iter().any(|size| *size > 15)) {
            return Err(Error::HuffmanTable);
        }
        let mut lookup = Box::new([(0, 0); 256]);
        let mut lengths = [(0, 0); 16];
        let (mut code, mut place) = (0u32, 0);
        for ((length, entry), count) in (1u32..).zip(&mut lengths).zip(counts) {
            let count = usize::from(*count);
            let offset = place as i32 - code as i32;
            for symbol in &symbols[place..place + count] {
                if length <= LOOKUP && code < 1 << length {
                    let first = (code << (LOOKUP - length)) as usize;
                    lookup[first..first + (1 << (LOOKUP - length))].fill((*symbol, length as u8));
                }
                code += 1;
            }
            place += count;
            if count > 0 {
                // The code of all ones is reserved.
                if code >= 1 << length {
                    return Err(Error::HuffmanTable);
                }
                *entry = (code, offset);
            }
            code <<= 1;
        }
        Ok(Huffman {
            lookup,
            lengths,
            symbols: *symbols,
        })
    }

    /// The symbol that the next bits begin with and the length of its code, 0
    /// for one that is longer.
    #[inline]
    pub(crate) fn lookup(&self, next: u8) -> (u8, u32) {
        let (symbol, length) = self.lookup[usize::from(next)];
        (symbol, length.into())
    }

    /// The symbol of a code of 1 to 16 bits, where no shorter one is a code.
    pub(crate) fn symbol(&self, code: u32, length: u32) -> Option<u8> {
        let (end, offset) = self.lengths[length as usize - 1];
        (code < end).then(|| self.symbols[(code as i32 + offset) as usize & 0xff])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lengths: &[(usize, u8)]) -> [u8; 16] {
        let mut counts = [0; 16];
        for (length, count) in lengths {
            counts[length - 1] = *count;
        }
        counts
    }

    #[test]
    fn codes_are_given_out_in_order() {
        let definition = Definition::new(counts(&[(1, 1), (2, 1), (9, 1)]), &[7, 8, 9]);
        let table = Huffman::new(&definition, true).unwrap();
        assert_eq!(table.lookup(0b0111_1111), (7, 1));
        assert_eq!(table.lookup(0b1000_0000), (8, 2));
        assert_eq!(table.lookup(0b1100_0000).1, 0);
        assert_eq!(table.symbol(0b1_1000_0000, 9), Some(9));
        assert_eq!(table.symbol(0b1_1000_0001, 9), None);
    }

    #[test]
    fn impossible_tables_are_refused() {
        let refused = |counts, symbols: &[u8], dc| {
            Huffman::new(&Definition::new(counts, symbols), dc).unwrap_err() == Error::HuffmanTable
        };
        assert!(refused(counts(&[(1, 2)]), &[0, 1], false));
        assert!(refused(counts(&[(1, 1), (2, 2)]), &[0, 1, 2], false));
        assert!(refused(counts(&[(1, 1)]), &[16], true));
        assert!(refused([255; 16], &[0; 256], false));
        assert!(Huffman::new(&Definition::new([0; 16], &[]), true).is_ok());
    }
}
