//! The codes of runs and modes, of ITU-T recommendations T.4 (tables 2 and 3) and T.6 (table 1).

use std::sync::LazyLock;

use super::bits::Bits;

/// The meaning of a run code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunCode {
    /// So many pixels, and the run ends.
    Last(u16),
    /// So many pixels, and more follow.
    More(u16),
    /// Eleven zeros, with which the end of a line begins.
    EndOfLine,
    Unknown,
}

/// The position of a color change relative to those of the row above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Pass,
    Horizontal,
    /// Pixels to the right of the change above.
    Vertical(i8),
    Extension,
    /// Seven zeros, with which the end of a line begins.
    EndOfLine,
}

/// The codes of a color by the bits that come next, the first bit lowest.
#[derive(Debug)]
pub(super) struct Runs {
    /// What a code means and how many bits it has.
    table: Vec<(RunCode, u8)>,
    bits: u8,
}

pub(super) static WHITE: LazyLock<Runs> = LazyLock::new(|| Runs::new(12, &WHITE_CODES));
pub(super) static BLACK: LazyLock<Runs> = LazyLock::new(|| Runs::new(13, &BLACK_CODES));

impl Runs {
    fn new(bits: u8, codes: &[&str; 91]) -> Self {
        let mut table = vec![(RunCode::Unknown, 0); 1 << bits];
        let mut put = |code: &str, meaning| {
            let length = code.len() as u8;
            let places = code.bytes().enumerate();
            let first = places.fold(0, |first, (at, bit)| first | usize::from(bit == b'1') << at);
            for entry in table[first..].iter_mut().step_by(1 << length) {
                *entry = (meaning, length);
            }
        };
        for (run, code) in (0..64).zip(codes) {
            put(code, RunCode::Last(run));
        }
        let long = codes[64..].iter().chain(&LONG_CODES);
        for (run, code) in (64..).step_by(64).zip(long) {
            put(code, RunCode::More(run));
        }
        put("00000000000", RunCode::EndOfLine);
        Runs { table, bits }
    }

    /// The next code; `None` at the end of the data. An invalid code consumes nothing.
    pub(super) fn next(&self, bits: &mut Bits<'_>) -> Option<RunCode> {
        let (code, length) = self.table[bits.peek(self.bits)? as usize];
        bits.skip(length);
        Some(code)
    }
}

impl Mode {
    /// The next code; `None` at the end of the data.
    pub(super) fn next(bits: &mut Bits<'_>) -> Option<Self> {
        let next = bits.peek(7)?;
        let (mode, length) = match next.trailing_zeros() {
            0 => (Mode::Vertical(0), 1),
            1 => (Mode::Vertical(side(next >> 2)), 3),
            2 => (Mode::Horizontal, 3),
            3 => (Mode::Pass, 4),
            4 => (Mode::Vertical(2 * side(next >> 5)), 6),
            5 => (Mode::Vertical(3 * side(next >> 6)), 7),
            6 => (Mode::Extension, 7),
            _ => (Mode::EndOfLine, 7),
        };
        bits.skip(length);
        Some(mode)
    }
}

fn side(right: u32) -> i8 {
    if right & 1 == 1 { 1 } else { -1 }
}

/// 0 to 63 pixels, then 64 to 1,728 in steps of 64.
#[rustfmt::skip]
const WHITE_CODES: [&str; 91] = [
    "00110101", "000111", "0111", "1000", "1011", "1100", "1110", "1111",
    "10011", "10100", "00111", "01000", "001000", "000011", "110100", "110101",
    "101010", "101011", "0100111", "0001100", "0001000", "0010111", "0000011", "0000100",
    "0101000", "0101011", "0010011", "0100100", "0011000", "00000010", "00000011", "00011010",
    "00011011", "00010010", "00010011", "00010100", "00010101", "00010110", "00010111", "00101000",
    "00101001", "00101010", "00101011", "00101100", "00101101", "00000100", "00000101", "00001010",
    "00001011", "01010010", "01010011", "01010100", "01010101", "00100100", "00100101", "01011000",
    "01011001", "01011010", "01011011", "01001010", "01001011", "00110010", "00110011", "00110100",
    "11011", "10010", "010111", "0110111", "00110110", "00110111", "01100100", "01100101",
    "01101000", "01100111", "011001100", "011001101", "011010010", "011010011", "011010100",
    "011010101", "011010110", "011010111", "011011000", "011011001", "011011010", "011011011",
    "010011000", "010011001", "010011010", "011000", "010011011",
];

#[rustfmt::skip]
const BLACK_CODES: [&str; 91] = [
    "0000110111", "010", "11", "10", "011", "0011", "0010", "00011",
    "000101", "000100", "0000100", "0000101", "0000111", "00000100", "00000111", "000011000",
    "0000010111", "0000011000", "0000001000", "00001100111", "00001101000", "00001101100",
    "00000110111", "00000101000", "00000010111", "00000011000", "000011001010", "000011001011",
    "000011001100", "000011001101", "000001101000", "000001101001", "000001101010", "000001101011",
    "000011010010", "000011010011", "000011010100", "000011010101", "000011010110", "000011010111",
    "000001101100", "000001101101", "000011011010", "000011011011", "000001010100", "000001010101",
    "000001010110", "000001010111", "000001100100", "000001100101", "000001010010", "000001010011",
    "000000100100", "000000110111", "000000111000", "000000100111", "000000101000", "000001011000",
    "000001011001", "000000101011", "000000101100", "000001011010", "000001100110", "000001100111",
    "0000001111", "000011001000", "000011001001", "000001011011", "000000110011", "000000110100",
    "000000110101", "0000001101100", "0000001101101", "0000001001010", "0000001001011",
    "0000001001100", "0000001001101", "0000001110010", "0000001110011", "0000001110100",
    "0000001110101", "0000001110110", "0000001110111", "0000001010010", "0000001010011",
    "0000001010100", "0000001010101", "0000001011010", "0000001011011", "0000001100100",
    "0000001100101",
];

/// 1,792 to 2,560 pixels of either color in steps of 64.
#[rustfmt::skip]
const LONG_CODES: [&str; 13] = [
    "00000001000", "00000001100", "00000001101", "000000010010", "000000010011", "000000010100",
    "000000010101", "000000010110", "000000010111", "000000011100", "000000011101", "000000011110",
    "000000011111",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_a_prefix_of_another() {
        for codes in [&WHITE_CODES, &BLACK_CODES] {
            let all: Vec<&str> = codes.iter().chain(&LONG_CODES).copied().collect();
            for (at, code) in all.iter().enumerate() {
                let mut others = all[..at].iter().chain(&all[at + 1..]);
                assert!(!others.any(|other| other.starts_with(code)), "{code}");
            }
        }
    }
}
