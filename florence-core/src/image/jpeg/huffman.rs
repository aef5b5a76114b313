//! Huffman codes.

use super::bits::Bits;

/// Codes of up to this many bits are looked up.
const LOOKUP: u32 = 9;

/// One code table of a DHT segment.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// For each of the next `LOOKUP` bits: the symbol and the length of its
    /// code, 0 for a longer one.
    lookup: Vec<(u8, u8)>,
    /// For each length from 1: the first code, the number of codes, the place
    /// of the first symbol.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the numbers of codes of 1 to 16 bits and their symbols.
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Option<Self> {
        let mut lookup = vec![(0, 0); 1 << LOOKUP];
        let mut lengths = [(0, 0, 0); 16];
        let (mut code, mut place) = (0u32, 0);
        for ((length, entry), count) in (1u32..).zip(&mut lengths).zip(counts) {
            let count = u32::from(*count);
            *entry = (code, count, place);
            if code + count > 1 << length {
                return None;
            }
            for symbol in symbols.get(place..place + count as usize)? {
                if length <= LOOKUP {
                    let first = (code << (LOOKUP - length)) as usize;
                    lookup[first..first + (1 << (LOOKUP - length))].fill((*symbol, length as u8));
                }
                code += 1;
            }
            place += count as usize;
            code <<= 1;
        }
        (place == symbols.len()).then(|| Huffman {
            lookup,
            lengths,
            symbols: symbols.to_vec(),
        })
    }

    /// The next symbol.
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek16();
        let (symbol, length) = self.lookup[(next >> (16 - LOOKUP)) as usize];
        if length > 0 {
            bits.skip(length.into())?;
            return Some(symbol);
        }
        for (length, (first, count, place)) in (1..).zip(self.lengths) {
            if let Some(index) = (next >> (16 - length)).checked_sub(first)
                && index < count
            {
                bits.skip(length)?;
                return self.symbols.get(place + index as usize).copied();
            }
        }
        None
    }
}
