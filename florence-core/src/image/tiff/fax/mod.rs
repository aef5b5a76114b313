//! CCITT groups 3 and 4: pages of fax machines and scanners.
//!
//! Decodes them as libtiff does for Pillow, damaged ones too: an invalid code ends its row, and the
//! next row continues there.

mod bits;
mod codes;
mod row;

use self::bits::Bits;
use self::row::{Row, Stop};
use super::Refusal;
use super::layout::Layout;

/// The rows of a strip or tile.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// A bit for each pixel, 0 where the page is white.
    pub(super) rows: Vec<u8>,
    /// The first row that is damaged.
    pub(super) damaged_from: Option<usize>,
}

/// Unpacks strips or tiles, one after the other.
#[derive(Debug)]
pub(super) struct Fax {
    coding: Coding,
    /// Whether each line has an end code, assumed until an expected one is missing.
    has_ends: bool,
    row: Row,
    above: Row,
    /// The previous strip or tile, which shows where the data of one end early.
    before: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// Lengths of runs, each row from a byte on.
    Huffman,
    /// Group 3: lengths of runs, with an end of each line.
    Lines,
    /// Group 3 in two dimensions: a bit says whether a line is coded by the one above.
    LinesAndChanges,
    /// Group 4: each row by the one above.
    Changes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    Stopped,
    /// The data end where the end code of a line is expected.
    NoEndOfLine,
}

impl From<Stop> for Failed {
    fn from(_: Stop) -> Self {
        Failed::Stopped
    }
}

impl Fax {
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let coding = match (layout.compression, layout.fax_options & 1) {
            (2, _) => Coding::Huffman,
            (3, 0) => Coding::Lines,
            (3, _) => Coding::LinesAndChanges,
            _ => Coding::Changes,
        };
        let is_compared = matches!(coding, Coding::LinesAndChanges | Coding::Changes);
        let width = layout.block_width;
        // As many as libtiff allocates.
        let most_runs = (width + 1).next_multiple_of(32) << u32::from(is_compared);
        Fax {
            coding,
            has_ends: matches!(coding, Coding::Lines | Coding::LinesAndChanges),
            row: Row::new(width, most_runs),
            above: Row::new(width, most_runs),
            before: Vec::new(),
        }
    }

    /// Unpacks `rows` rows.
    pub(super) fn unpack(
        &mut self,
        stored: &[u8],
        layout: &Layout<'_>,
        rows: usize,
    ) -> Result<Unpacked, Refusal> {
        if layout.bits != 1 || layout.samples != 1 {
            return Err("fax compression of more than one bit a pixel".into());
        }
        self.above.whiten();
        let mut damaged_from = None;
        self.before
            .resize(self.before.len().max(rows * layout.row_bytes()), 0);
        let mut is_swapped = false;
        let mut bits = Bits::new(stored);
        let mut painted = std::mem::take(&mut self.before);
        for (number, row) in painted
            .chunks_mut(layout.row_bytes())
            .take(rows)
            .enumerate()
        {
            let mut read = self.read_row(&mut bits);
            if read == Err(Failed::NoEndOfLine) {
                // Some writers omit the end codes. As in libtiff, decoding restarts.
                bits = Bits::new(stored);
                self.has_ends = false;
                self.above.at_end_of_line = false;
                read = self.read_row(&mut bits);
            }
            let is_last = read.unwrap_or(true);
            if read.is_err() || is_last && number == 0 {
                return Err("its fax data end early or are broken".into());
            }
            if self.row.damaged || is_last {
                damaged_from.get_or_insert(number);
            }
            row.fill(0);
            self.row.paint(row);
            if is_last {
                break;
            }
            let ended = self.row.end();
            if self.coding == Coding::Changes && ended.is_err() {
                return Err("its fax data have too many changes in a row".into());
            }
            std::mem::swap(&mut self.row, &mut self.above);
            is_swapped = !is_swapped;
        }
        if is_swapped {
            // Each strip begins with the same of the two, in which others are left over.
            std::mem::swap(&mut self.row, &mut self.above);
        }
        self.before = painted;
        Ok(Unpacked {
            rows: self.before[..rows * layout.row_bytes()].to_vec(),
            damaged_from,
        })
    }

    /// Reads a row; returns whether it is the last one.
    fn read_row(&mut self, bits: &mut Bits<'_>) -> Result<bool, Failed> {
        if self.has_ends {
            skip_end(bits, self.above.at_end_of_line)?;
        }
        self.row.begin();
        match self.coding {
            Coding::Huffman => {
                self.row.read_lengths(bits)?;
                bits.align();
            }
            Coding::Lines => self.row.read_lengths(bits)?,
            Coding::LinesAndChanges => {
                let is_alone = bits.peek(1).ok_or(Failed::Stopped)? == 1;
                bits.skip(1);
                if is_alone {
                    self.row.read_lengths(bits)?;
                } else {
                    self.row.read_changes(bits, &self.above)?;
                }
            }
            Coding::Changes => {
                return match self.row.read_changes(bits, &self.above) {
                    Ok(()) => Ok(self.row.at_end_of_line),
                    Err(Stop::EndOfData) => Ok(true),
                    Err(Stop::TooManyRuns) => Err(Failed::Stopped),
                };
            }
        }
        Ok(false)
    }
}

/// Skips the end of a line, of which the first eleven zeros may be read already, and what is before it.
fn skip_end(bits: &mut Bits<'_>, is_begun: bool) -> Result<(), Failed> {
    if !is_begun {
        while bits.peek(11).ok_or(Failed::Stopped)? != 0 {
            bits.skip(1);
        }
    }
    while bits.peek(8).ok_or(Failed::NoEndOfLine)? == 0 {
        bits.skip(8);
    }
    while bits.peek(1) == Some(0) {
        bits.skip(1);
    }
    bits.skip(1);
    Ok(())
}
